"""``seqbench compare --protocols``: whether the order of models depends on the rule of targets."""

from __future__ import annotations

from pathlib import Path

from engine.analysis.columns.definitions import metric_name
from engine.analysis.comparison import compare_rows
from engine.analysis.export import FOR_PROGRAMS
from engine.analysis.labels.stored import newest_runs, stored_labels
from engine.analysis.run.relaunch import launches_of
from engine.store.compare.grouping import Choice, counted_runs
from tui.cli.progress import progress
from tui.cli.results.tables import put
from tui.cli.session import Session, note


def put_protocols(
    session: Session,
    filter_: str,
    metric: str,
    format_: str,
    output: Path | None,
    width: int | None,
) -> None:
    """Put out cells ranked under every rule that they were measured under, and how far the rules
    agree."""
    from engine.analysis.pairs.cells import ranked_cells  # numpy
    from engine.analysis.pairs.text import ranked_metric
    from engine.analysis.protocols.rankings import Protocols
    from engine.analysis.protocols.stored import Measured, protocols
    from engine.analysis.protocols.text import NOTE, OF_TAU, format_protocols, reasons, sentences

    chosen = ranked_metric(metric)
    found: list[Protocols] = []
    problems: list[str] = []
    if session.has_store:
        catalogue = session.catalogue_if_valid
        with session.reader() as connection, progress("Comparing rules"):
            rows = compare_rows(connection, filter=filter_, sort="run", descending=False)
            counted = counted_runs(connection, Choice(filter_))
            launches = launches_of(connection, list(counted), catalogue)
            labels = stored_labels(connection, newest_runs(counted), catalogue)
            cells, problems = ranked_cells(session.location, rows, counted, launches, labels)
            wanted = Measured(chosen.metric, chosen.masked, chosen.k)
            found, unread = protocols(connection, session.location, cells, wanted)
            problems += unread
    for problem in problems:
        note(problem)
    if not found:
        note(
            "No data were measured under two rules: `seqbench evaluate` ranks finished runs under "
            "another, and `seqbench run` trains on data sets with another split."
        )
        if format_ not in FOR_PROGRAMS and output is None:
            return
    name = metric_name(chosen.metric, chosen.k, masked=chosen.masked)
    put(format_protocols(found, name, format_, width=width), output)
    for some in found:
        note(f"{some.title}: {' '.join(sentences(some))}")
    if any(ranking.evaluated for some in found for ranking in some.rankings):
        note(NOTE)
    if found:
        for sentence in (OF_TAU, *reasons(found)):
            note(sentence)
