"""Reading what a run's page shows, in a thread."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from engine.analysis.details import RunDetails, run_details
from engine.analysis.reference import ReferenceOfCell, references_of
from engine.analysis.relaunch import relaunch_command
from engine.analysis.remedy import Remedy, remedy
from engine.config import Catalogue
from engine.lifecycle import DIED
from engine.runfolder import run_folder
from engine.store.connect import connect_reader
from engine.store.location import StoreLocation
from tui.shell.log_follower import LogFollower

__all__ = ["RunPage", "StoreLocation", "read_page"]


@dataclass(frozen=True)
class RunPage:
    """A run as it was read."""

    details: RunDetails
    log: Sequence[str]
    """The end of its log."""
    remedy: Remedy | None
    """What to try, if it died."""
    reference: ReferenceOfCell | None
    """What is published for its cell."""
    command: str
    """Launches it again; empty for an imported run."""


def read_page(location: StoreLocation, run_id: str, catalogue: Catalogue | None) -> RunPage | None:
    """Read a run; ``None`` if it is no more.

    Raises:
        RunError: no run can have that id.
        StoreError: a store that can't be read.
    """
    log = LogFollower(run_folder(location.runs, run_id).log)
    with closing(connect_reader(location)) as con:
        details = run_details(con, run_id)
    if details is None:
        return None
    run, tables = details.run, catalogue.references.values() if catalogue else ()
    references = references_of(tables, run.model, run.dataset, run.length)
    return RunPage(
        details=details,
        log=log.read(),
        remedy=remedy(run.cause, details.spec) if run.state in DIED else None,
        reference=references[0] if references else None,
        command=relaunch_command(details.spec, catalogue),
    )
