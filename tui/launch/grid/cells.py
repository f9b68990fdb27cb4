"""Rows, columns and cells of the grid, and how much of a cell fits into its column."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tui.shell.states import NEVER, glyph, style_variable
from tui.shell.text import TITLE, plain, shorten
from tui.widgets.lines import Span, line_length, progress_bar

CellKey = tuple[str, str, int]
"""Model, data set, length."""

BAR_CELLS = (8, 6, 4, 3, 2)
"""Widths that a progress bar may have, the best first."""


class Row(NamedTuple):
    """A model at a length, across all data sets."""

    model: str
    title: str
    length: int


class Column(NamedTuple):
    """A data set, across all models and lengths."""

    dataset: str
    note: str = ""
    """Second header line: whether the data is there."""
    note_style: str = "$text-muted"


class CellView(NamedTuple):
    """The runs of one model, data set and length, as the grid shows them.

    Attributes:
        state: the most pressing state of its runs.
        texts: ways to say what is most worth knowing, the longest first.
        progress: of the runs that run, 0 to 1; drawn as a bar.
        others: how many runs are in other states, the most pressing first.
        sign: where the result stands against the floor; empty if it is above it, or not known.
    """

    state: str = NEVER
    texts: tuple[str, ...] = ()
    progress: float | None = None
    others: tuple[tuple[str, int], ...] = ()
    sign: str = ""


def cell_pieces(view: CellView, width: int) -> list[Span]:
    """Choose the fullest picture of a cell that fits: its text (and bar) with the sign, then other
    states.

    The sign, and that some runs failed or wait, are worth a shorter text. A span without a style
    has the cell's own color.
    """
    others = [piece for state, count in view.others for piece in _other(state, count)]
    candidates = list(_candidates(view))
    for extra in (others, others[:2], []):
        for pieces in candidates:
            if line_length(pieces) + line_length(extra) <= width:
                return [*pieces, *extra]
    return [(shorten(text, width), style) for text, style in candidates[-1][:1]]


def _candidates(view: CellView) -> Iterator[list[Span]]:
    texts = [plain(text, TITLE) for text in view.texts]
    sign: list[Span] = [(f" {view.sign}", "$warning")] if view.sign else []
    if view.progress is not None:
        for text in texts or [""]:
            for cells in BAR_CELLS:
                yield [*progress_bar(view.progress, cells), (text, "")]
    for text in texts:
        yield [(text, ""), *sign]
    if not texts:
        yield []


def _other(state: str, count: int) -> Iterator[Span]:
    """Draw a state and its number of runs, as in `` ✗2``; the gap has the cell's own color."""
    yield " ", ""
    yield f"{glyph(state)}{count}", style_variable(state)
