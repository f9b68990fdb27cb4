"""The runs of the cell under the cursor: a list, and the curve of the chosen one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import time as wall_clock
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.events import Click, MouseScrollDown, MouseScrollUp
from textual.message import Message

from tui.charts.run_charts import RunCharts
from tui.shell.states import glyph, style_variable
from tui.shell.text import TITLE, ago, number, plain
from tui.widgets.lines import Line, Lines, fit

LEAST = (75, 5)
"""The smallest size, in columns and lines, with room for a curve next to the list."""


@dataclass(frozen=True, slots=True)
class ListedRun:
    """A run in the list.

    Attributes:
        score: test NDCG@10 of its best epoch.
        when: when it ended, else began, else was queued, in seconds since 1970.
        settings: in what its settings differ from those of the others in the list.
    """

    id: str
    state: str
    seed: int
    score: float | None
    when: float
    settings: str


class RunList(Lines, can_focus=True):
    """Lists runs below a heading, one per line. Posts `Chosen` when another run is chosen."""

    DEFAULT_CSS = "RunList { min-width: 40; }"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("pageup", "move(-10)", show=False),
        Binding("pagedown", "move(10)", show=False),
        Binding("home", "move(-1000)", show=False),
        Binding("end", "move(1000)", show=False),
    ]

    @dataclass
    class Chosen(Message):
        """Another run is chosen."""

        run_id: str

    def __init__(self) -> None:
        super().__init__(id="runs")
        self._runs: Sequence[ListedRun] = ()
        self._total = self._at = self._first = 0

    @property
    def chosen(self) -> str | None:
        """The run under the list's cursor; ``None`` in an empty list."""
        return self._runs[self._at].id if self._runs else None

    def show(self, runs: Sequence[ListedRun], total: int) -> None:
        """List these runs; the chosen one stays chosen, else the first is.

        Args:
            total: number of all runs, those that aren't listed included.
        """
        before = self.chosen
        self._at = next((n for n, run in enumerate(runs) if run.id == before), 0)
        self._runs, self._total = runs, total
        self.redraw()

    def draw(self, width: int, height: int) -> list[Line]:
        rows = max(height - 1, 1)
        self._first = min(max(self._first, self._at - rows + 1), self._at)
        shown = self._runs[self._first : self._first + rows]
        seeds = max([4, *(len(str(run.seed)) for run in self._runs)])
        settings = "settings" if any(run.settings for run in self._runs) else ""
        heading = f"  {'seed':>{seeds}}  test NDCG  {'age':<11}  {settings}"
        place = f" {self._first + 1}–{self._first + len(shown)} of {self._total:,}"
        if len(shown) in (0, self._total) or cell_len(heading + place) > width:
            place = ""
        return [
            [(fit(heading, width - cell_len(place)) + place, "$text-muted")],
            *(self._line(n, run, seeds, width) for n, run in enumerate(shown, self._first)),
        ]

    def _line(self, index: int, run: ListedRun, seeds: int, width: int) -> Line:
        cursor = "block-cursor" if self.has_focus else "block-cursor-blurred"
        ground = f" on ${cursor}-background" if index == self._at else ""
        score, age = number(run.score, 4), ago(run.when, wall_clock())
        text = f"{run.seed:>{seeds}}  {score:>9}  {age:<11}  {plain(run.settings, TITLE)}"
        return [
            (f"{glyph(run.state)} ", f"{style_variable(run.state)}{ground}"),
            (fit(text, width - 2), f"$foreground{ground}"),
        ]

    def on_focus(self) -> None:
        self.redraw()

    def on_blur(self) -> None:
        self.redraw()

    def action_move(self, lines: int) -> None:
        """Move the cursor by a number of lines (negative: up)."""
        if self._runs:
            self._choose(min(max(self._at + lines, 0), len(self._runs) - 1))

    def on_click(self, event: Click) -> None:
        """Choose the run that is clicked."""
        offset = event.get_content_offset(self)
        if offset is not None and 0 < offset.y <= len(self._runs) - self._first:
            self._choose(self._first + offset.y - 1)

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        event.stop()
        self.action_move(1)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        event.stop()
        self.action_move(-1)

    def _choose(self, index: int) -> None:
        if index != self._at:
            self._at = index
            self.redraw()
            self.post_message(self.Chosen(self._runs[index].id))


class CellRuns(Horizontal):
    """The list, with the validation curve of the chosen run beside it where there is room."""

    DEFAULT_CSS = """
    CellRuns RunCharts { width: 2fr; }
    CellRuns RunList { width: 3fr; }
    """

    def __init__(self) -> None:
        super().__init__(id="cell-runs")
        self.list = RunList()
        self._charts = RunCharts(shown=("valid",), wheel=False)

    def compose(self) -> ComposeResult:
        yield self.list
        yield self._charts

    def on_mount(self) -> None:
        self._charts.show_alone(0)

    def show(self, runs: Sequence[ListedRun], total: int) -> None:
        """Show these runs of a cell.

        Args:
            total: number of all its runs.
        """
        self.list.show(runs, total)
        if self.size:
            self._follow()

    def on_resize(self) -> None:
        width, height = LEAST
        self._charts.display = self.size.width >= width and self.size.height >= height
        self._follow()

    @on(RunList.Chosen)
    def _follow(self) -> None:
        if self._charts.display and self.list.chosen is not None:
            self._charts.follow(self.list.chosen)
