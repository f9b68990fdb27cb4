"""The sentences of the comparison: how much is shown, of which kind, and why nothing is."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from textual.content import Content
from textual.widgets import Static

from engine.analysis.columns.definitions import AGGREGATE_MEANING
from tui.compare.page import Page
from tui.compare.view import View
from tui.results.words import fitting_status, imported_parts
from tui.shell.text import PARAGRAPH, count, plain

NO_RUNS = "No runs yet: press 1 to choose some and launch them."
_NONE_DONE = "No run is done yet, so there is no cell to compare: b shows every run."


class StatusLine(Static):
    """The line beside the filter."""

    def __init__(self) -> None:
        super().__init__(id="status", markup=False)

    def show(self, said: str, usual: Content) -> None:
        """Show what is said of the filter, if anything, else the usual."""
        content = Content.styled(plain(said, PARAGRAPH), "$warning") if said else usual
        if self.content != content:
            self.update(content)


def usual_status(page: Page | None, every: int, view: View, marked: int, room: int) -> Content:
    """Say how many are shown and marked, and what their values are.

    Args:
        page: what was read last, if it is of what the view shows.
        every: runs in the store.
        room: cells; what they don't suffice for is left out, the aggregate's meaning first.
    """
    parts = partial(_parts, page, every, view, marked)
    return fitting_status((parts(), parts(meaning=False), parts(meaning=False, apart=False)), room)


def _parts(
    page: Page | None,
    every: int,
    view: View,
    marked: int,
    *,
    meaning: bool = True,
    apart: bool = True,
) -> list[tuple[str, str]]:
    aggregate = view.aggregate
    parts: list[tuple[str, str]] = []
    if marked:
        parts.append((f"{marked:,} marked  ", "$accent"))
    style = "$warning" if aggregate in ("max", "min") else "$text-muted"
    parts.append((f"{_how_many(page, every, view)}  ", "$text-muted"))
    if page is not None:
        read = page.request.view
        parts += imported_parts(page.left_out, taken_in=read.by_cell and read.imported)
        if page.apart and apart:
            parts.append((f"different {page.apart} kept apart  ", "$warning"))
    parts.append(("a ", "$accent"))  # the key that changes it
    told = f": {AGGREGATE_MEANING[aggregate]}" if meaning else ""
    parts.append((f"{aggregate}{told}", style))
    return parts


def _how_many(page: Page | None, every: int, view: View) -> str:
    if page is None:
        return count(every, "run")
    if view.by_cell:
        below = sum(row.seeds for row in page.rows if row.key in view.expanded)
        return count(max(0, page.total - below), "cell")
    # Without a filter it is all that are compared: trials of studies aren't.
    whole = not view.filter.strip() or page.total == every
    total = count(page.total, "run")
    return total if whole else f"{page.total:,} of {count(every, 'run')}"


def why_empty(page: Page, counts: Mapping[str, int]) -> str:
    """Say why the table has no row, and what to do; ``counts`` are runs by state."""
    view = page.request.view
    if words := view.filter.strip():
        what = "cell" if view.by_cell else "run"
        return f"No {what} matches “{plain(words, 40)}”: esc clears it."
    return _NONE_DONE if view.by_cell and counts else NO_RUNS
