"""Any two columns of the comparison as a scatter plot, the Pareto front marked."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen, Screen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option
from textual.worker import get_current_worker

from engine.analysis.comparison import Column, figure
from engine.analysis.scatter import Scatter, good_end, scatter
from engine.store.compare.grouping import Choice
from tui.compare.keys import COMPARE
from tui.compare.scatter_plot import ScatterPlot
from tui.messages import RunWanted, StoreChanged
from tui.shell.bindings import bindings_for
from tui.shell.text import PARAGRAPH, TITLE, count, plain
from tui.widgets.header import Header
from tui.widgets.key_bar import KeyBar

if TYPE_CHECKING:
    from tui.lab import Lab


class ScatterRead(Message):
    """The points came from the store, or why they didn't."""

    def __init__(self, content: Scatter | str, axes: tuple[Column, Column]) -> None:
        super().__init__()
        self.content = content
        self.axes = axes


class ScatterScreen(Screen[None]):
    """The runs of the comparison that are done. Keys in `tui.compare.keys`."""

    AREA = "scatter"
    CSS_PATH = "scatter.tcss"
    AUTO_FOCUS = "ScatterPlot"
    BINDINGS = bindings_for("scatter", COMPARE)  # type: ignore[assignment]

    app: Lab

    def __init__(
        self, columns: Sequence[Column], x: Column, y: Column, choice: Choice, aggregate: str
    ) -> None:
        super().__init__()
        self._columns = tuple(columns)
        self._x, self._y = x, y
        self._choice = choice
        self._aggregate = aggregate
        self._runs = 0

    def compose(self) -> ComposeResult:
        yield Header("compare")
        yield Static(id="legend", markup=False)
        yield ScatterPlot()
        yield Static(id="empty", markup=False)
        yield Static(id="point", markup=False)
        yield KeyBar()

    @property
    def plot(self) -> ScatterPlot:
        return self.query_one(ScatterPlot)

    def on_mount(self) -> None:
        self.query_one("#empty").display = False
        self.call_after_refresh(self._read)

    def on_store_changed(self, _: StoreChanged) -> None:
        """Read the points again."""
        self._read()

    def on_resize(self) -> None:
        self.call_after_refresh(self._read)

    def _read(self) -> None:
        self._read_points(self._x, self._y, *self.plot.dots)

    @work(thread=True, exclusive=True, group="points", exit_on_error=False)
    def _read_points(self, x: Column, y: Column, across: int, down: int) -> None:
        from engine.errors import UserError

        content: Scatter | str
        try:
            with closing(self.app.reader()) as con:
                content = scatter(con, self._choice, x, y, across, down)
        except (UserError, sqlite3.Error) as error:
            content = str(error)
        if not get_current_worker().is_cancelled:
            self.post_message(ScatterRead(content, (x, y)))

    @on(ScatterRead)
    def _points_read(self, event: ScatterRead) -> None:
        if event.axes != (self._x, self._y):
            return
        empty = self.query_one("#empty", Static)
        content = event.content
        if isinstance(content, str):
            self._say(content)
            return
        self._runs = content.runs
        if not content.points:
            self._say(f"No run that is done has both {self._x.name} and {self._y.name}.")
            return
        empty.display, self.plot.display = False, True
        if self.focused is None:
            self.plot.focus()
        self.plot.show(content, _axis_name(self._x), _axis_name(self._y))
        self._show_legend(content)

    def _say(self, sentence: str) -> None:
        empty = self.query_one("#empty", Static)
        empty.update(Content(plain(sentence, PARAGRAPH)))
        empty.display, self.plot.display = True, False
        self.query_one("#legend", Static).update("")
        self.query_one("#point", Static).update("")

    def _show_legend(self, content: Scatter) -> None:
        parts: list[tuple[str, str]] = []
        for model in sorted({point.model for point in content.points}):
            mark = self.plot.mark_of(model, front=False)
            parts += [(f"{mark} {plain(model, TITLE)}  ", self.plot.style_of(model))]
        front = sum(point.front for point in content.points)
        datasets = len({point.dataset for point in content.points})
        fronts = "front" if datasets == 1 else "front of each data set"
        runs = count(content.runs, "run")
        about = f"{runs}, {self._aggregate} · filled: the Pareto {fronts} ({front})"
        self.query_one("#legend", Static).update(Content.assemble(*parts, (about, "$text-muted")))

    @on(ScatterPlot.CursorMoved)
    def _cursor_moved(self, event: ScatterPlot.CursorMoved) -> None:
        panel = self.query_one("#point", Static)
        point = event.point
        if point is None:
            panel.update("")
            return
        mark = self.plot.mark_of(point.model, point.front)
        more = f" and {point.count - 1:,} more here" if point.count > 1 else ""
        front = ", on the Pareto front" if point.front else ""
        panel.update(
            Content.assemble(
                (plain(point.run, 100), "bold"),
                (f"{more}{front}\n", "$text-muted"),
                (f"{mark} ", self.plot.style_of(point.model)),
                f"{self._x.name} {figure(point.x, self._x.kind)}   "
                f"{self._y.name} {figure(point.y, self._y.kind)}",
            )
        )

    # Actions

    def action_close(self) -> None:
        """Back to the table."""
        self.dismiss()

    def action_open_point(self) -> None:
        """Open the run under the cursor."""
        if self.plot.display and self.plot.point is not None:
            self.post_message(RunWanted(self.plot.point.run))

    def action_axis(self, axis: str) -> None:
        """Choose what an axis shows."""
        current = self._x if axis == "x" else self._y

        def chosen(name: str | None) -> None:
            if name is not None:
                column = next(entry for entry in self._columns if entry.name == name)
                if axis == "x":
                    self._x = column
                else:
                    self._y = column
                self._read()

        names = [entry.name for entry in self._columns]
        self.app.push_screen(AxisScreen(axis, names, current.name), chosen)

    def action_swap_axes(self) -> None:
        """The one for the other."""
        self._x, self._y = self._y, self._x
        self._read()


class AxisScreen(ModalScreen["str | None"]):
    """Answers with a column's name, or None."""

    CSS_PATH = "scatter.tcss"
    BINDINGS = [Binding("escape,q", "dismiss", "Back", key_display="esc")]  # noqa: RUF012
    AUTO_FOCUS = "OptionList"

    def __init__(self, axis: str, names: Sequence[str], current: str) -> None:
        super().__init__()
        self._axis = axis
        self._names = list(names)
        self._current = current

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = f"The {self._axis} axis"
            dialog.border_subtitle = "↑↓ ⏎ choose · esc back"
            yield OptionList(*(Option(name) for name in self._names), markup=False, compact=True)

    def on_mount(self) -> None:
        self.query_one(OptionList).highlighted = self._names.index(self._current)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._names[event.option_index])


def _axis_name(column: Column) -> str:
    return f"{column.name} {'↑' if good_end(column) == 'higher' else '↓'}"
