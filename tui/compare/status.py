"""The sentences of the comparison: how much is shown, of which kind, and why nothing is."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from textual.content import Content

from engine.analysis.comparison import AGGREGATE_MEANING, Aggregate
from engine.cell import Cell
from tui.compare.page import Page
from tui.results.imported import imported_parts
from tui.shell.text import count, plain

NO_RUNS = "No runs yet: press 1 to choose some and start them."
_NONE_DONE = "No run is done yet, so there is no cell to compare: b shows every run."


def usual_status(
    page: Page | None, every: int, expanded: Collection[str], marked: int, aggregate: Aggregate
) -> Content:
    """How many are shown and marked, and what their figures are."""
    parts: list[tuple[str, str]] = []
    if marked:
        parts.append((f"{marked:,} marked  ", "$accent"))
    style = "$warning" if aggregate in ("max", "min") else "$text-muted"
    parts.append((f"{_how_many(page, every, expanded)}  ", "$text-muted"))
    if page is not None:
        taken_in = page.request.grouped and page.request.choice.imported
        parts += imported_parts(page.left_out, taken_in=taken_in)
    if page is not None and (why := _apart(page)):
        parts.append((f"{why}  ", "$warning"))
    parts.append(("a ", "$accent"))  # the key that changes it
    parts.append((f"{aggregate}: {AGGREGATE_MEANING[aggregate]}", style))
    return Content.assemble(*parts)


def _how_many(page: Page | None, every: int, expanded: Collection[str]) -> str:
    if page is None:
        return count(every, "run")
    if page.request.grouped:
        below = sum(line.seeds for line in page.lines if line.key in expanded)
        return count(max(0, page.total - below), "cell")
    total = page.total
    return count(total, "run") if total == every else f"{total:,} of {count(every, 'run')}"


def _apart(page: Page) -> str:
    """Why cells in sight of one place and profile stand apart."""
    if not page.request.grouped:
        return ""
    places: dict[tuple[object, ...], list[Cell]] = {}
    for cell in (Cell.named(line.cell) for line in page.lines if line.run is None):
        places.setdefault((*cell.place, cell.profile), []).append(cell)
    several = [alike for alike in places.values() if len(alike) > 1]
    for name, why in (("checksum", "other data: apart"), ("settings", "other settings: apart")):
        if any(len({getattr(cell, name) for cell in alike}) > 1 for alike in several):
            return why
    return ""


def why_empty(page: Page, counts: Mapping[str, int]) -> str:
    """Why the table has no line, and what to do."""
    grouped = page.request.grouped
    if words := page.request.choice.filter.strip():
        what = "cell" if grouped else "run"
        return f"No {what} matches “{plain(words, 40)}”: esc clears it."
    return _NONE_DONE if grouped and counts else NO_RUNS
