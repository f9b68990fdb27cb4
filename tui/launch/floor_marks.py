"""Which results of the grid aren't above the floor of their data set, read in a thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from textual.dom import DOMNode

from tui.launch.grid.cells import CellKey
from tui.shell.reading import Reading

if TYPE_CHECKING:
    from engine.analysis.pairs.standings import FloorTest
    from engine.store.location import StoreLocation
    from engine.store.places import LaunchCell


class FloorMarks:
    """Tests the results that are shown, again whenever there are others.

    Args:
        owner: the screen of the grid.
        changed: called when other cells have a sign.
    """

    def __init__(self, owner: DOMNode, changed: Callable[[], object]) -> None:
        self.signs: Mapping[CellKey, str] = {}
        """The signs of the cells that have one."""
        self.tested: dict[object, FloorTest | None] = {}
        """`engine.analysis.pairs.standings.Standings.kept`, of what was read before."""
        self._changed = changed
        self._asked: object = None
        self._reading = Reading(owner, self._take, lambda _: None)

    def read(
        self, location: StoreLocation, cells: Mapping[CellKey, LaunchCell], finished: int
    ) -> None:
        """Read the signs, unless they are of the same results.

        Args:
            finished: how many runs are done, those in no cell of the grid among them.
        """
        shown = {key: cell.best for key, cell in cells.items() if cell.best is not None}
        asked = finished, {key: (cells[key].score, cells[key].settings) for key in shown}
        if not shown or asked == self._asked:
            return
        self._asked, tested = asked, self.tested

        def read() -> Mapping[CellKey, str]:
            from tui.launch.reading import read_signs

            return read_signs(location, shown, tested)

        self._reading.ask(read)

    def _take(self, signs: Mapping[CellKey, str]) -> None:
        if signs != self.signs:
            self.signs = signs
            self._changed()
