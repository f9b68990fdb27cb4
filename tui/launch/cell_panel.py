"""The panel of the cell under the cursor: what is known of it, and below that its runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from tui.lab import Lab
from tui.launch.grid.cells import CellKey
from tui.launch.words import aligned, cell_facts
from tui.shell.reading import Reading
from tui.shell.text import PARAGRAPH, plain
from tui.widgets.text_box import TextBox

if TYPE_CHECKING:
    from engine.analysis.pairs.standings import FloorTest
    from engine.order import Order
    from engine.store.places import LaunchCell
    from tui.launch.cell_runs import CellRuns, ListedRun

LEAST_FACTS = 4
"""Lines of facts that are always shown; later ones give way to the list of runs."""

LEAST_RUNS = 5
"""Lines that the list of runs gets where facts can give way."""


class CellPanel(Vertical):
    """Shows facts of a cell and, where it was run, its newest runs and the curve of one.

    Args:
        tested: `tui.launch.floor_marks.FloorMarks.tested`.
    """

    DEFAULT_CSS = """
    CellPanel #detail { height: 1fr; text-wrap: nowrap; text-overflow: ellipsis; }
    CellPanel #cell-runs { height: 1fr; }
    """

    app: Lab

    def __init__(self, tested: dict[object, FloorTest | None]) -> None:
        super().__init__(id="cell", classes="panel")
        self.border_title = "Under the cursor"
        self._text = TextBox(id="detail")
        self._facts: Sequence[Content] = ()
        self._shown: tuple[CellKey, LaunchCell] | None = None
        self._total = 0
        self._runs: CellRuns | None = None  # mounted for the first cell that has runs
        self._reading = Reading(self, self._take, lambda _: None)
        self._floor = ""
        self._floor_of: tuple[CellKey, int] | None = None
        self._tested = tested
        self._floors = Reading(self, self._take_floor, lambda _: None)
        self._asked: tuple[CellKey, Order, LaunchCell | None, str] | None = None
        self._counting: Reading[None] = Reading(self, self._counted, self.notify)

    def compose(self) -> ComposeResult:
        yield self._text

    def show(self, key: CellKey, order: Order, cell: LaunchCell | None, other_copy: str) -> None:
        """Show a cell, once the configuration is there.

        Args:
            order: what is chosen.
            cell: what the store has of it.
            other_copy: what is to be said of the data set's copy, if it isn't what the entry says.
        """
        catalogue = self.app.catalogue
        if catalogue is None:
            return

        def count() -> None:
            from tui.launch.reading import count_parameters

            count_parameters(catalogue, order, key)

        def ask() -> None:
            self._counting.ask(count, key)

        self._asked = key, order, cell, other_copy
        self._facts = cell_facts(catalogue, key, order, cell, other_copy, ask)
        total = 0 if cell is None else sum(cell.counts.values())
        if self._runs is not None and (self._shown is None or self._shown[0] != key):
            self._runs.show((), total)
        shown = None if cell is None else (key, cell)
        if total and shown != self._shown and self.content_size:
            self._read(key)
        self._shown, self._total = shown, total
        self._read_floor(key)
        self._fit()

    def _counted(self, _: None) -> None:
        if self._asked is not None:
            self.show(*self._asked)

    @property
    def chosen(self) -> str | None:
        """The run that is chosen in the list; ``None`` if none is listed."""
        return None if self._runs is None else self._runs.list.chosen

    def _read(self, key: CellKey) -> None:
        location, catalogue = self.app.location, self.app.catalogue

        def read() -> tuple[CellKey, Sequence[ListedRun]]:
            from tui.launch.reading import read_runs

            return key, read_runs(location, catalogue, key)

        self._reading.ask(read, key)

    def _read_floor(self, key: CellKey) -> None:
        """Read the floor once the configuration is there, and again if the store has changed."""
        catalogue, location, tested = self.app.catalogue, self.app.location, self._tested
        wanted = key, self.app.snapshot.version
        if catalogue is None or wanted == self._floor_of:
            return
        if self._floor_of is None or self._floor_of[0][1] != key[1]:
            self._floor = ""
        self._floor_of = wanted

        def read() -> tuple[CellKey, str]:
            from tui.launch.reading import read_floor

            return key, read_floor(location, catalogue, key, tested)

        self._floors.ask(read, key)

    def _take_floor(self, found: tuple[CellKey, str]) -> None:
        key, text = found
        if self._floor_of is not None and self._floor_of[0] == key:
            self._floor = text
            self._fit()

    def _take(self, found: tuple[CellKey, Sequence[ListedRun]]) -> None:
        from tui.launch.cell_runs import CellRuns  # loaded by the thread that read

        key, runs = found
        if self._shown is None or self._shown[0] != key:
            return
        if self._runs is None:
            self._runs = CellRuns()
            self.mount(self._runs)
            self._fit()
        self._runs.show(runs, self._total)

    def on_resize(self) -> None:
        """Divide the lines again, and read the runs if there was no room for them before."""
        if self._shown and self._total and self.chosen is None:
            self._read(self._shown[0])
        self._fit()

    def _fit(self) -> None:
        """Divide the lines between facts and runs."""
        lines = list(self._facts)
        if self._floor:  # after the title and the runs
            lines[2:2] = aligned([("Floor", plain(self._floor, PARAGRAPH))])
        height, facts = self.content_size.height, len(lines)
        if self._total:
            facts = min(facts, max(LEAST_FACTS, height - LEAST_RUNS))
        self._text.update(Content("\n").join(lines[:facts]))
        self._text.styles.height = facts if self._total else "1fr"
        if self._runs is not None:
            self._runs.display = bool(self._total)
