"""Launch: choose cells and seeds, see what that means, start what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import Resize
from textual.widgets import Static

from engine.errors import UserError
from tui.launch.costs import Machine
from tui.launch.device_slots import DeviceSlots
from tui.launch.form import LaunchForm
from tui.launch.grid.grid import CellGrid, Key, Row
from tui.launch.keys import LAUNCH
from tui.launch.orders import OrderActions
from tui.launch.reading import StoreView, cell_view, data_columns, read_store
from tui.launch.words import (
    detail_text,
    legend,
    problem_text,
    rectangle_hint,
    suite_keys,
)
from tui.messages import CatalogueFailed, CatalogueLoaded, StoreChanged
from tui.shell.action import actions_for
from tui.shell.bindings import bindings_for
from tui.widgets.header import Header
from tui.widgets.key_bar import KeyBar
from tui.widgets.text_box import TextBox

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.config import Catalogue

FIRST_CELL: Key = ("sasrec", "synthetic", 50)
"""Selected where nothing was ever run: ready without a network, and done in a minute."""

LOWEST = 5
"""Lines of the panels at the bottom: three of text."""

DETAIL = 9
"""Lines that the cell under the cursor needs."""

TALL = 32
"""Lines from which on there is room for the cell under the cursor."""

LAUNCH_ACTIONS = frozenset(action.id.partition("(")[0] for action in actions_for("launch", LAUNCH))


class LaunchScreen(OrderActions):
    """The grid on the left, the form on the right, what it comes to below."""

    AREA = "launch"
    CSS_PATH = "screen.tcss"
    BINDINGS = bindings_for("launch", LAUNCH)  # type: ignore[assignment]
    AUTO_FOCUS = "CellGrid"
    VERTICAL_BREAKPOINTS = [(0, "-low"), (TALL, "-tall")]  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self._lengths: tuple[int, ...] = ()
        self._wanted: frozenset[str] = frozenset()
        self._reading = self._read_again = False
        self._bottom = LOWEST

    def compose(self) -> ComposeResult:
        yield Header("launch")
        with Horizontal(id="body"):
            with Vertical(id="left"):
                grid = CellGrid(id="grid")
                grid.add_class("panel")
                grid.border_title = "Cells"
                grid.border_subtitle = legend()
                yield grid
                detail = TextBox(id="detail", classes="panel")
                detail.border_title = "Under the cursor"
                yield detail
            form = LaunchForm(id="form")
            form.add_class("panel")
            form.border_title = "Seeds, lengths, settings"
            form.border_subtitle = suite_keys()
            yield form
        with Horizontal(id="bottom"):
            summary = TextBox(id="summary", classes="panel")
            summary.border_title = "Selection"
            yield summary
            devices = DeviceSlots(id="devices", classes="panel")
            devices.border_title = "Devices"
            yield devices
        trouble = Static("", id="trouble", classes="panel", markup=False)
        trouble.border_title = "Configuration"
        yield trouble
        yield KeyBar()

    async def on_mount(self) -> None:
        """Take what the app already knows."""
        if self.app.catalogue is not None:
            await self._show_catalogue(self.app.catalogue)
        elif self.app.catalogue_problem is not None:
            self._show_trouble(self.app.catalogue_problem)

    @property
    def grid(self) -> CellGrid:
        return self.query_one(CellGrid)

    # Configuration

    async def on_catalogue_loaded(self, message: CatalogueLoaded) -> None:
        """Rows and columns are known."""
        await self._show_catalogue(message.catalogue)

    def on_catalogue_failed(self, message: CatalogueFailed) -> None:
        """Nothing can be launched; the other screens still work."""
        self._show_trouble(message.sentence)

    def _show_trouble(self, sentence: str) -> None:
        self.add_class("-trouble")
        self.query_one("#trouble", Static).update(problem_text(sentence))
        self.set_focus(None)

    async def _show_catalogue(self, catalogue: Catalogue) -> None:
        await self._form.build(catalogue)
        self._lengths = self._form.choices.lengths
        self._lay_out()
        fresh = not self.app.location.db.exists()
        if fresh and FIRST_CELL in self.grid.keys():  # noqa: SIM118 - cells, not a mapping
            self.grid.select([FIRST_CELL])
            self.grid.move_to(FIRST_CELL)
        self.look_for_data()
        self._refresh_store()
        self._replan()
        self.query_one(DeviceSlots).look()

    def on_resize(self, _: Resize) -> None:
        """A tall terminal shows the cell under the cursor, a wide one the devices."""
        self._fit_grid()
        self.refresh_bindings()
        self.call_after_refresh(self._devices_seen)

    def _fit_grid(self) -> None:
        """All of the grid, if the cell under the cursor then still has its lines below."""
        wanted = self.grid.full_height
        room = self.size.height - 2 - self._bottom - DETAIL
        self.grid.styles.height = min(wanted, room) if self.size.height >= TALL else "1fr"

    def _lay_out(self) -> None:
        catalogue = self.app.catalogue
        if catalogue is None:
            return
        rows = [
            Row(name, catalogue.models[name].title, length)
            for name in catalogue.model_order
            for length in self._lengths
        ]
        names = self._columns(catalogue)
        self.grid.set_layout(rows, data_columns([catalogue.datasets[n] for n in names], None))
        self._fit_grid()

    def _columns(self, catalogue: Catalogue) -> list[str]:
        """Of the optional data sets only those that are wanted."""
        return [
            name
            for name in catalogue.dataset_order
            if not catalogue.datasets[name].optional or name in self._wanted
        ]

    def look_for_data(self) -> None:
        """Find out which data sets are here."""
        self._look_for_data()

    @work(thread=True, group="data", exclusive=True)
    def _look_for_data(self) -> None:
        from engine.datasets.locate import is_ready

        catalogue = self.app.catalogue
        if catalogue is None:
            return
        ready = {name: is_ready(dataset) for name, dataset in catalogue.datasets.items()}
        self.call_later(self._data_seen, ready)

    def _data_seen(self, ready: dict[str, bool]) -> None:
        catalogue = self.app.catalogue
        if not self._shown or catalogue is None:
            return
        self._want(name for name, here in ready.items() if here)
        names = self._columns(catalogue)
        self.grid.set_columns(data_columns([catalogue.datasets[name] for name in names], ready))
        self._replan()

    def _want(self, names: Iterable[str]) -> None:
        """Give optional data sets a column; one that has it keeps it."""
        wanted = self._wanted | {
            name
            for name in names
            if self.app.catalogue and self.app.catalogue.datasets[name].optional
        }
        if wanted != self._wanted:
            self._wanted = wanted
            self._lay_out()

    # Store

    def on_store_changed(self, _: StoreChanged) -> None:
        """Runs moved on, or this screen is looked at again."""
        self._refresh_store()

    def _refresh_store(self) -> None:
        if self.app.catalogue is None:
            return
        if self._reading:
            self._read_again = True
            return
        self._reading = True
        self._read_store()

    def _refresh_if_seen(self) -> None:
        """Who looks at another screen pays nothing for this one; it is told when it comes back."""
        if self in self.app.screen_stack:
            self._refresh_store()

    @work(thread=True, group="read")
    def _read_store(self) -> None:
        try:
            view = read_store(self.app.location)
        except UserError as error:
            view = StoreView(problem=str(error))
        self.call_later(self._store_read, view)

    def _store_read(self, view: StoreView) -> None:
        self._reading = False
        if self._read_again:
            self._read_again = False
            self.set_timer(max(0.2, 10 * view.seconds), self._refresh_if_seen)
        if not self._shown or view.same_as(self._store):
            return
        others = view.present != self._store.present
        self._store = view
        self.grid.set_cells({key: cell_view(cell) for key, cell in view.cells.items()})
        self.show_detail()
        if others:
            self._replan()

    # Devices

    @on(DeviceSlots.Looked)
    def _devices_looked(self) -> None:
        from tui.launch.confirm import ConfirmScreen

        self._devices_seen()
        if isinstance(self.app.screen, ConfirmScreen):
            self.app.screen.machine_seen(self.machine)

    def _devices_seen(self) -> None:
        """They get the lines that they need; where they have no place, a few words stand in."""
        devices = self.query_one(DeviceSlots)
        if devices.slots != self._slots:
            self._slots = devices.slots
            self._replan()
        wanted = devices.full_lines + devices.gutter.height
        shown = self.has_class("-wide") or self.has_class("-devices")
        most = max(LOWEST, self.size.height // 3)
        bottom = min(max(LOWEST, wanted), most) if shown else LOWEST
        if bottom != self._bottom:
            self._bottom = bottom
            self.query_one("#bottom").styles.height = bottom
            self._fit_grid()
        summary = self.query_one("#summary", Static)
        words = Content("") if self.has_class("-wide") else devices.digest()
        if summary.border_subtitle != words:
            summary.border_subtitle = words

    @property
    def machine(self) -> Machine:
        devices = self.query_one(DeviceSlots)
        return Machine(devices.slots, devices.devices, self.measured)

    def action_devices(self) -> None:
        """Show the devices in place of the summary, or the summary again; wide, both are there."""
        self.toggle_class("-devices")
        self._devices_seen()

    # The order and its plan

    @on(CellGrid.SelectionChanged)
    def _selection_changed(self) -> None:
        self._replan()
        self.refresh_bindings()

    @on(CellGrid.RectangleChanged)
    def _rectangle_changed(self) -> None:
        self._show_legend()
        self.refresh_bindings()

    def _show_legend(self) -> None:
        shape = self.grid.rectangle
        narrow = self.has_class("-form") and self.has_class("-narrow")
        self.grid.border_subtitle = rectangle_hint(*shape) if shape else "" if narrow else legend()

    @on(CellGrid.CursorMoved)
    def _cursor_moved(self) -> None:
        self.show_detail()
        if not self.grid.selected:
            self._replan()

    @on(LaunchForm.Changed)
    def _form_changed(self) -> None:
        if self._form.choices.lengths != self._lengths:
            self._lengths = self._form.choices.lengths
            self._lay_out()
            self.look_for_data()
        self.show_detail()
        self._replan()

    @on(LaunchForm.SuiteChosen)
    def _suite_chosen(self, message: LaunchForm.SuiteChosen) -> None:
        catalogue, suite = self.app.catalogue, message.suite
        if catalogue is not None:
            cells = catalogue.cells(suite)
            others = self._wanted
            self._want(dataset for _, dataset, _ in cells)
            self.grid.select(cells)
            if self._wanted != others:
                self._look_for_data()

    @on(LaunchForm.Finished)
    def _form_finished(self) -> None:
        self.grid.focus()

    def show_detail(self) -> None:
        key, catalogue, order = self.grid.cursor_key, self.app.catalogue, self._order()
        if key is not None and catalogue is not None and order is not None:
            self.query_one("#detail", Static).update(
                detail_text(catalogue, key, order, self._store.cells.get(key))
            )

    # Actions

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
        self.grid.keep_rectangle()

    def action_drop_rectangle(self) -> None:
        self.grid.drop_rectangle()

    def action_unselect(self) -> None:
        """Select nothing."""
        self.grid.select(())

    def action_options(self) -> None:
        """To the form, or back to the grid."""
        if self._in_form():
            self.action_leave_form()
        else:
            self.add_class("-form")
            self._show_legend()
            self._form.focus_first()

    def _in_form(self) -> bool:
        return self.focused is not None and any(
            isinstance(node, LaunchForm) for node in self.focused.ancestors_with_self
        )

    def action_leave_form(self) -> None:
        """From the form to the grid."""
        self.remove_class("-form")
        self._show_legend()
        self.grid.focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """In the form its own keys count, and escape leads out of it."""
        if self.has_class("-trouble") and action in LAUNCH_ACTIONS:
            return False
        if action == "leave_form":
            return self._in_form()
        if action in ("keep_rectangle", "drop_rectangle"):
            return self.grid.rectangle is not None
        if action == "launch_missing":
            return not self._in_form() and self.grid.rectangle is None
        if action == "unselect":
            return not self._in_form() and self.grid.rectangle is None and bool(self.grid.selected)
        if action == "devices":
            return not self.has_class("-wide")
        if action in ("fetch", "options"):
            return self.grid.rectangle is None
        return super().check_action(action, parameters)
