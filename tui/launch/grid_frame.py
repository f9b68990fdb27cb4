"""What the frame of Launch's grid says: the meaning of its signs, or of a rectangle's keys."""

from __future__ import annotations

from tui.launch.floor_marks import FloorMarks
from tui.launch.grid.grid import CellGrid
from tui.launch.store_cells import StoreCells
from tui.launch.words import legend, rectangle_hint

_CORNERS = 6
"""Cells of a frame's lower edge that a legend there can't have."""


class GridFrame:
    """Writes the lower edge of the grid's frame.

    Args:
        store: the cells whose states are explained.
        marks: the signs of the floor, which are explained too.
    """

    def __init__(self, grid: CellGrid, store: StoreCells, marks: FloorMarks) -> None:
        self._grid, self._store, self._marks = grid, store, marks

    def show(self, enter: str, *, beside_form: bool) -> None:
        """Explain the rectangle that is being selected, else the signs of the grid.

        Args:
            enter: how the enter key is written.
            beside_form: whether the form leaves no room for signs.
        """
        grid = self._grid
        if shape := grid.rectangle:
            grid.border_subtitle = rectangle_hint(*shape, enter)
        elif beside_form:
            grid.border_subtitle = ""
        else:
            cells, signs = self._store.view.cells.values(), self._marks.signs.values()
            grid.border_subtitle = legend(cells, signs, grid.outer_size.width - _CORNERS)
