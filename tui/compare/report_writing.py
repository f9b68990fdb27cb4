"""Writing the report, in a thread: apart, as making it loads numpy."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from engine.config import Catalogue
from engine.report.gather import Wanted
from engine.report.write import make_report, write_report
from engine.store.compare.grouping import Choice
from engine.store.connect import connect_reader
from engine.store.location import StoreLocation


def write_report_on(
    location: StoreLocation, path: Path, choice: Choice, catalogue: Catalogue | None
) -> None:
    """Write the report of the runs that match.

    Raises:
        UserError: the store can't be read, or a file can't be written.
    """
    with closing(connect_reader(location)) as con:
        wanted = Wanted(where=choice.filter, without=choice.without)
        report = make_report(con, location, catalogue, wanted)
    write_report(report, path)
