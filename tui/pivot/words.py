"""What is said above, below and in place of the pivot. No widget here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from textual.content import Content

from engine.analysis.columns.definitions import AGGREGATE_MEANING, Aggregate
from engine.analysis.columns.meanings import meaning
from engine.analysis.pivot.stored import pivot_columns
from engine.store.compare.grouping import Choice
from tui.pivot.reading import Shown
from tui.results.words import fitting_status, imported_parts
from tui.shell.text import count, plain


def status_content(
    shown: Shown | None, choice: Choice, aggregate: Aggregate, marked: int, room: int
) -> Content:
    """Say how epochs and seeds become a figure, how much is shown, and of which runs.

    Args:
        room: cells; what they don't suffice for is left out, the aggregate's meaning first.
    """
    over = {"max": "maximum", "min": "minimum"}.get(aggregate, "mean ± std")
    warned = "$warning" if aggregate in ("max", "min") else "$text-muted"
    told = f"; {over} over seeds"
    ways = (f"{aggregate}: {AGGREGATE_MEANING[aggregate]}{told}", f"{aggregate}{told}", aggregate)
    parts: list[tuple[str, str]] = []
    if shown is not None:
        cells = sum(row.is_cell for row in shown.rows)
        runs = count(shown.found.runs, "run")
        parts.append((f"   {count(cells, 'cell')} of {runs}", "$text-muted"))
        if imported := imported_parts(shown.imported, taken_in=shown.choice.imported):
            parts += [("   ", ""), *imported]
    if marked:
        parts.append((f"   {marked} marked", "$accent"))
    if words := choice.filter.strip():
        parts += [("   filter ", "$text-muted"), (plain(words, 60), "$accent")]
    return fitting_status(([("a ", "$accent"), (way, warned), *parts] for way in ways), room)


def why_empty(choice: Choice) -> str:
    """Say why there is no cell."""
    if words := choice.filter.strip():
        return f"No run that is done matches “{plain(words, 40)}”: esc goes back to the filter."
    return "No run is done yet, so there is no cell to show."


def column_topics(
    key: str, aggregate: Aggregate, names: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Explain one of the pivot's columns ``names``, if the key is one: its name, and meaning."""
    for entry in pivot_columns(aggregate, names):
        if entry.name == key:
            yield entry.name, meaning(entry, aggregate)
