"""Any two columns of the comparison as a scatter plot, the Pareto front marked."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import ModalScreen, Screen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui.compare.keys import COMPARE
from tui.compare.reading import Choice, Column, Scatter, read_label, read_points
from tui.compare.scatter import words
from tui.compare.scatter.plot import ScatterPlot
from tui.lab import Lab
from tui.messages import StoreChanged
from tui.results.acting import show_or_say
from tui.shell.bindings import bindings_for
from tui.shell.keys import UNDO
from tui.shell.reading import Reading
from tui.shell.typed_ahead import TypedAhead
from tui.widgets.dialog import Dialog
from tui.widgets.header import Header
from tui.widgets.key_bar import KeyBar
from tui.widgets.key_button import KeyButton


class ScatterScreen(Screen[None]):
    """The runs of the comparison that are done. Keys in `tui.compare.keys`."""

    AREA = "scatter"
    CSS_PATH = "screen.tcss"
    AUTO_FOCUS = "ScatterPlot"
    BINDINGS = bindings_for("scatter", (*COMPARE, UNDO))  # type: ignore[assignment]

    app: Lab
    plot = getters.query_one(ScatterPlot)

    def __init__(self, columns: Sequence[Column], x: Column, y: Column, choice: Choice) -> None:
        super().__init__()
        self._columns = tuple(columns)
        self._x, self._y = x, y
        self._choice = choice
        self._points = Reading(self, self._take_points, self._say)
        self._labels = Reading(self, self._take_label, self._say)
        self.typed_ahead = TypedAhead(self, self._points, frozenset({"open_point"}))

    def compose(self) -> ComposeResult:
        yield Header("compare")
        yield Static(id="legend", markup=False)
        yield ScatterPlot()
        yield Static(id="empty", markup=False)
        yield Static(id="point", markup=False)
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one("#empty").display = False
        self.call_after_refresh(self._read)

    def on_store_changed(self, _: StoreChanged) -> None:
        """Read the points again."""
        self._read()

    def on_resize(self) -> None:
        self.call_after_refresh(self._read)

    def _read(self) -> None:
        axes = self._x, self._y
        read = partial(read_points, self.app.location, self._choice, *axes, self.plot.dots)
        self._points.ask(read, subject=axes)

    def _take_points(self, content: Scatter) -> None:
        if not content.points:
            self._say(f"No finished run has both {self._x.name} and {self._y.name}.")
            return
        show_or_say(self, self.plot, "")
        self.plot.show(content, *map(words.axis_name, (self._x, self._y)))
        box = self.query_one("#legend", Static)
        room = self.size.width - box.gutter.width
        box.update(words.legend(self.plot, content, self._choice.aggregate, room))

    def _say(self, sentence: str) -> None:
        show_or_say(self, self.plot, sentence)
        self.query_one("#legend", Static).update("")
        self.query_one("#point", Static).update("")

    @on(ScatterPlot.CursorMoved)
    def _cursor_moved(self, event: ScatterPlot.CursorMoved) -> None:
        self._show_point()
        if event.point is not None:
            run, catalogue = event.point.run, self.app.catalogue
            read = partial(read_label, self.app.location, self._choice, run, catalogue)
            self._labels.ask(read, subject=run)

    def _take_label(self, label: str) -> None:
        self._show_point(label)

    def _show_point(self, label: str = "") -> None:
        text = words.under_cursor(self.plot, self.plot.point, self._x, self._y, label)
        self.query_one("#point", Static).update(text)

    # Actions

    def action_open_point(self) -> None:
        """Open the run under the cursor."""
        if self.plot.display and self.plot.point is not None:
            self.app.open_run(self.plot.point.run)

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
        """Swap the axes."""
        self._x, self._y = self._y, self._x
        self._read()


class AxisScreen(ModalScreen["str | None"]):
    """Answers with a column's name, or None."""

    CSS_PATH = "screen.tcss"
    BINDINGS = [Binding("escape,q", "dismiss", "Back")]  # noqa: RUF012
    AUTO_FOCUS = "OptionList"

    app: Lab

    def __init__(self, axis: str, names: Sequence[str], current: str) -> None:
        super().__init__()
        self._axis = axis
        self._names = list(names)
        self._current = current

    def compose(self) -> ComposeResult:
        keys = KeyButton("⏎", "Choose", "choose", main=True), KeyButton("esc", "Back", "dismiss")
        with Dialog(f"The {self._axis} axis", *keys):
            rows = (f"{'✓' if name == self._current else ' '} {name}" for name in self._names)
            yield OptionList(*map(Option, rows), markup=False, compact=True)

    def on_mount(self) -> None:
        self.query_one(OptionList).highlighted = self._names.index(self._current)

    def action_choose(self) -> None:
        """Answer with the column under the cursor."""
        self.query_one(OptionList).action_select()

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._names[event.option_index])
