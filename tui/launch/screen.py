"""Launch: choose cells and seeds, see what that means, start what is missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.events import Resize
from textual.widgets import Static

from tui.lab import Lab
from tui.launch.cell_panel import CellPanel
from tui.launch.data_columns import DataColumns
from tui.launch.desk import OrderDesk
from tui.launch.devices.slots import DeviceSlots
from tui.launch.floor_marks import FloorMarks
from tui.launch.form import LaunchForm
from tui.launch.grid.cells import Row
from tui.launch.grid.contents import StoreView, cell_view
from tui.launch.grid.grid import CellGrid
from tui.launch.grid_frame import GridFrame
from tui.launch.kept import KeptChoices
from tui.launch.keys import LAUNCH, Situation, is_offered
from tui.launch.layout import LOW, TALL, Layout
from tui.launch.store_cells import StoreCells
from tui.launch.words import cells_title, problem_text, suite_keys
from tui.messages import (
    CatalogueFailed,
    CatalogueLoaded,
    DataSetsChanged,
    FirstViewShown,
    ModelsAwaited,
    StoreChanged,
)
from tui.shell.bindings import bindings_for
from tui.shell.keys import UNDO
from tui.widgets.ground import CoveredColumn, CoveredRow, FullScreen
from tui.widgets.header import Header
from tui.widgets.key_bar import KeyBar

if TYPE_CHECKING:
    from engine.config import Catalogue

FIRST_DATA, FIRST_LENGTH = "synthetic", 50
"""Of the cell under the cursor in a new store: it needs no download, and trains in a minute."""


class LaunchScreen(FullScreen):
    """The grid on the left, the form on the right, and what would be launched below."""

    AREA = "launch"
    CSS_PATH = "screen.tcss"
    BINDINGS = bindings_for("launch", (*LAUNCH, UNDO))  # type: ignore[assignment]
    AUTO_FOCUS = "CellGrid"
    VERTICAL_BREAKPOINTS = [(0, "-lowest"), (LOW, "-low"), (TALL, "-tall")]  # noqa: RUF012

    app: Lab

    def __init__(self) -> None:
        super().__init__()
        self.grid = CellGrid(id="grid", classes="panel")
        self.form = LaunchForm(id="form", classes="panel")
        self.devices = DeviceSlots(id="devices", classes="panel")
        self.desk = OrderDesk(self.grid, self.form, self.devices)
        self._panels = Layout(self, self.grid, self.desk, self.devices)
        self.store = StoreCells(self, self._store_read)
        self.marks = FloorMarks(self, self._show_cells)
        self._frame = GridFrame(self.grid, self.store, self.marks)
        self.cell = CellPanel(self.marks.tested)
        self._lengths: tuple[int, ...] = ()
        self._slots: Sequence[object] = ()
        self._data = DataColumns(self, self._data_seen, self.notify)
        self._waiting: list[Callable[[], object]] = []

    def compose(self) -> ComposeResult:
        yield Header("launch")
        with CoveredRow(id="body"):
            with CoveredColumn(id="left"):
                self.grid.border_title = cells_title()
                self._show_legend()
                yield self.grid
                yield self.cell
            self.form.border_title = "Seeds, lengths, settings"
            self.form.border_subtitle = suite_keys()
            yield self.form
        with CoveredRow(id="bottom"):
            self.desk.name_frame()
            yield self.desk
            self.devices.border_title = "Devices"
            yield self.devices
        yield KeyBar()

    def on_mount(self) -> None:
        """Watch the devices; show what is known without the configuration."""
        self.devices.looked.subscribe(self, lambda _: self._devices_seen())
        self.call_after_refresh(self._show_first)

    # What is seen first

    async def _show_first(self) -> None:
        """Show the store's cells before the configuration is read, if it is as it was."""
        if self.app.catalogue is not None:
            if not self._lengths:  # it was read before this screen was opened
                await self._show_catalogue(self.app.catalogue)
            return
        if self.app.catalogue_problem is not None:
            self._show_trouble(self.app.catalogue_problem)
            return
        if self.app.location.db.exists() and self._kept.restore_grid():
            self._panels.fit_grid()
            self._read_store()
        else:
            self.post_message(FirstViewShown())

    @cached_property
    def _kept(self) -> KeptChoices:
        return KeptChoices(self.app, self.grid, self.form, self._data)

    def _when_known(self, act: Callable[[], object]) -> None:
        """Act once the configuration is there, after what was asked for before."""
        if self.app.catalogue is None:
            self._waiting.append(act)
        else:
            act()

    @property
    def keys_wait(self) -> bool:
        """Whether a key waits for the configuration or a plan, which is on its way."""
        known = self.app.catalogue_problem is None
        return known and (bool(self._waiting) or self.desk.awaited)

    # Configuration

    async def on_catalogue_loaded(self, message: CatalogueLoaded) -> None:
        """Show rows and columns, which are known now."""
        await self._show_catalogue(message.catalogue)

    def on_catalogue_failed(self, message: CatalogueFailed) -> None:
        """Say why nothing can be launched; the other screens still work."""
        self._show_trouble(message.sentence)

    def on_models_awaited(self, message: ModelsAwaited) -> None:
        """Say which models have no row yet."""
        self.grid.border_title = cells_title(message.files)

    def _show_trouble(self, sentence: str) -> None:
        self.add_class("-trouble")
        if not self.query("#trouble"):
            trouble = Static(id="trouble", classes="panel", markup=False)
            trouble.border_title = "Configuration"
            self.mount(trouble)
        self.query_one("#trouble", Static).update(problem_text(sentence))
        self.set_focus(None)

    async def _show_catalogue(self, catalogue: Catalogue) -> None:
        first = not self._lengths
        await self._kept.restore_form(catalogue)
        self._lengths = self.form.choices.lengths
        self._lay_out()
        if first and not self.app.location.db.exists():
            self.grid.move_to((catalogue.model_order[0], FIRST_DATA, FIRST_LENGTH))
        self._data.look(catalogue)
        self._read_store()
        self.desk.replan()
        self.devices.look()
        waiting, self._waiting = self._waiting, []
        for act in waiting:
            act()

    def on_resize(self, _: Resize) -> None:
        """Show the cell under the cursor where it is tall enough, the devices where it is wide."""
        self._panels.fit_grid()
        self.refresh_bindings()
        self.call_after_refresh(self._devices_seen)

    def _lay_out(self) -> None:
        catalogue = self.app.catalogue
        if catalogue is None:
            return
        rows = [
            Row(name, catalogue.models[name].title, length)
            for name in catalogue.model_order
            for length in self._lengths
        ]
        self.grid.set_layout(rows, self._data.columns(catalogue))
        self._panels.fit_grid()

    def on_data_sets_changed(self, message: DataSetsChanged) -> None:
        """Look for data sets that were fetched meanwhile; go to one that is wanted."""
        self._look_for_data()
        if message.wanted is not None:
            self._data.want([message.wanted])
            self._lay_out()
            self._kept.keep()
            if (key := self.grid.cursor_key) is not None:
                self.grid.move_to((key[0], message.wanted, key[2]))

    def _look_for_data(self) -> None:
        if self.app.catalogue is not None:
            self._data.look(self.app.catalogue)

    def _data_seen(self) -> None:
        self._lay_out()
        self._kept.keep()
        self.desk.replan()

    # Store

    def on_store_changed(self, _: StoreChanged) -> None:
        """Read the store again: runs have changed, or this screen is shown again."""
        if self.grid.cursor_key is not None:
            self._read_store()

    def _read_store(self) -> None:
        self.store.read(self.app.location)

    def _store_read(self, before: StoreView) -> None:
        view = self.store.view
        if view != before:
            self._show_store(view, before)
        if self.app.catalogue is not None:  # the cells are painted
            finished = self.app.snapshot.counts.get("done", 0)
            self.marks.read(self.app.location, view.cells, finished)

    def _show_cells(self) -> None:
        cells, signs = self.store.view.cells, self.marks.signs
        self.grid.set_cells(
            {key: cell_view(cell, signs.get(key, "")) for key, cell in cells.items()}
        )
        self._show_legend()

    def _show_store(self, view: StoreView, before: StoreView) -> None:
        self.desk.present = view.present
        self._show_cells()
        self._show_cell()
        if view.present != before.present:
            self.desk.replan()
        if self.app.catalogue is None:
            # The grid first tells the screen that it has changed, and then the screen paints it.
            shown = partial(self.post_message, FirstViewShown())
            self.grid.call_after_refresh(self.call_after_refresh, shown)

    # Devices

    def _devices_seen(self) -> None:
        if self.devices.machine.slots != self._slots:
            self._slots = self.devices.machine.slots
            self.desk.replan()
        self._panels.fit_devices()

    def action_devices(self) -> None:
        """Show the devices in place of the summary, or the summary again; wide, both are there."""
        self.toggle_class("-devices")
        self._panels.fit_devices()

    # What is chosen

    @on(CellGrid.SelectionChanged)
    def _selection_changed(self) -> None:
        self.desk.name_frame()
        self.desk.replan()
        self.refresh_bindings()

    @on(CellGrid.RectangleChanged)
    def _rectangle_changed(self) -> None:
        self._show_legend()
        self.refresh_bindings()

    @on(CellGrid.Measured)
    def _show_legend(self) -> None:
        beside_form = self.has_class("-form") and self.has_class("-narrow")
        self._frame.show(self.app.key_written("⏎"), beside_form=beside_form)

    @on(CellGrid.CursorMoved)
    def _cursor_moved(self) -> None:
        self._show_cell()
        if not self.grid.selected:
            self.desk.replan()

    @on(LaunchForm.Changed)
    def _form_changed(self) -> None:
        if self.form.choices.lengths != self._lengths:
            self._lengths = self.form.choices.lengths
            self._lay_out()
        self._kept.keep()
        self._show_cell()
        self.desk.replan()

    @on(LaunchForm.SuiteChosen)
    def _suite_chosen(self, message: LaunchForm.SuiteChosen) -> None:
        catalogue, suite = self.app.catalogue, message.suite
        if catalogue is not None:
            cells = catalogue.cells(suite)
            self._data.want(dataset for _, dataset, _ in cells)
            self._lay_out()
            self.grid.select(cells)

    @on(LaunchForm.Finished)
    def _form_finished(self) -> None:
        self.grid.focus()

    @on(OrderDesk.Planned)
    def _show_cell(self) -> None:
        key, catalogue, order = self.grid.cursor_key, self.app.catalogue, self.desk.order
        if key is not None and catalogue is not None and order is not None:
            said = self._data.other_copies.get(key[1], "")
            self.cell.show(key, order, self.store.view.cells.get(key), said)

    # Actions

    def action_launch_missing(self) -> None:
        """Launch what is missing, selected or under the cursor."""
        self.desk.confirm(again=False)

    def action_launch_all(self) -> None:
        """Launch all of it again."""
        self.desk.confirm(again=True)

    def action_tune(self) -> None:
        """Begin a study of the models that are selected, or of the one under the cursor."""
        self._when_known(self.desk.tune)

    def action_save_suite(self) -> None:
        """Keep the selection, with its seeds and settings, under a name."""
        self._when_known(self.desk.save_suite)

    def action_load_suite(self) -> None:
        """Choose a suite: its cells, seeds and settings."""
        self._when_known(self.desk.load_suite)

    def action_fetch(self) -> None:
        """Offer to fetch the data set under the cursor."""
        if (key := self.grid.cursor_key) is not None:
            self._when_known(partial(self._data.fetch, self.app, key[1]))

    def action_data(self) -> None:
        """Show the catalogue of data sets."""
        key = self.grid.cursor_key
        self._when_known(partial(self.app.open_catalogue, key[1] if key else None))

    def action_choose(self, what: str) -> None:
        """Select a ``cell``, ``row``, ``column`` or ``all``, or undo it; or keep the rectangle."""
        if what == "cell" and self.grid.rectangle:
            self.grid.keep_rectangle()
        else:
            self.grid.toggle(what)

    def action_rectangle(self) -> None:
        """Begin a rectangle at the cursor, or keep the one that is there."""
        if self.grid.rectangle:
            self.grid.keep_rectangle()
        else:
            self.grid.begin_rectangle()

    def action_keep_rectangle(self) -> None:
        """End the rectangle; its cells stay selected."""
        self.grid.keep_rectangle()

    def action_drop_rectangle(self) -> None:
        """End the rectangle, and select what was selected before it."""
        self.grid.drop_rectangle()

    def action_unselect(self) -> None:
        """Select nothing."""
        self.grid.select(())

    def action_options(self) -> None:
        """Go to the form, or back to the grid."""
        if self._in_form():
            self.action_leave()
        else:
            self.add_class("-form")
            self._show_legend()
            self.form.focus_first()

    def action_next_field(self) -> None:
        """Go to the next field of the form, and from the last one to the grid."""
        self.focus_next()

    def _in_form(self) -> bool:
        return self.form.has_focus_within

    def action_open_run(self) -> None:
        """Open the chosen run of the cell."""
        if (run := self.cell.chosen) is not None:
            self.app.open_run(run)

    def action_leave(self) -> None:
        """Go from the form or the list of runs to the grid."""
        self.remove_class("-form")
        self._show_legend()
        self.grid.focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what can be done."""
        grid, trouble, wide = self.grid, self.has_class("-trouble"), self.has_class("-wide")
        rectangle, selected = grid.rectangle is not None, bool(grid.selected)
        in_form, in_runs = self._in_form(), self.cell.has_focus_within
        now = Situation(trouble, in_form, in_runs, rectangle, selected, wide)
        return is_offered(action, now) and super().check_action(action, parameters)
