"""What is ordered on the Launch screen: the plan of the selection, and what is done with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import work
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from engine.errors import UserError
from tui.launch.costs import Machine
from tui.launch.form import LaunchForm
from tui.launch.grid.grid import CellGrid
from tui.launch.reading import StoreView, past_costs
from tui.launch.words import summary_text
from tui.messages import CatalogueWanted
from tui.shell.text import count

if TYPE_CHECKING:
    from engine.config import SlurmProfile
    from engine.machine.estimates import CostEstimate
    from engine.machine.slots import Slot
    from engine.order import Order
    from engine.planning import Plan, PlannedRun
    from engine.spec import Dataset
    from tui.lab import Lab


class OrderActions(Screen[None]):
    """The half of the Launch screen that orders runs; the other half shows what there is."""

    app: Lab

    def __init__(self) -> None:
        super().__init__()
        self._plan: Plan | None = None  # while there is none, one is on its way
        self._problem = ""
        self._asked: bool | None = None
        self._slots: Sequence[Slot] = ()
        self._store = StoreView()
        self.measured: dict[str, CostEstimate] = {}

    # What the other half provides

    @property
    def grid(self) -> CellGrid:
        """The cells."""
        raise NotImplementedError

    @property
    def machine(self) -> Machine:
        """Devices and slots, and what runs were measured to cost."""
        raise NotImplementedError

    def look_for_data(self) -> None:
        """Find out which data sets are here."""
        raise NotImplementedError

    def show_detail(self) -> None:
        """Draw again what is said of the cell under the cursor."""
        raise NotImplementedError

    # The form, and whether there is a screen

    @property
    def _form(self) -> LaunchForm:
        return self.query_one(LaunchForm)

    @property
    def _shown(self) -> bool:
        """False once the app takes its widgets down: what threads still bring is then dropped."""
        return bool(self.query(CellGrid))

    # The order and its plan

    def _order(self) -> Order | None:
        """What is chosen; ``None`` before the configuration is there."""
        catalogue = self.app.catalogue
        if catalogue is None:
            return None
        from engine.planning import order_of_cells  # with the configuration, which is there now

        here, choices = self.grid.cursor_key, self._form.choices
        cells = self.grid.selected or frozenset([here] if here else [])
        return order_of_cells(
            catalogue, cells, choices.seeds, choices.profile, choices.settings, choices.suite
        )

    def _replan(self) -> None:
        self._plan = None
        order = self._order()
        if order is None:
            return
        if self._form.problem:
            self._planned(order, None, self._form.problem)
        elif self.grid.cursor_key is not None:
            self._make_plan(order, self._store.present, self._slots)

    @work(thread=True, group="plan", exclusive=True)
    def _make_plan(self, order: Order, present: frozenset[str], slots: Sequence[Slot]) -> None:
        from engine.planning import plan

        catalogue = self.app.catalogue
        assert catalogue is not None
        try:
            with past_costs(self.app.location, slots, self.measured) as cost_of:
                planned = plan(catalogue, order, present, cost_of)
        except UserError as error:
            self.call_later(self._planned, order, None, str(error))
        else:
            self.call_later(self._planned, order, planned, "")

    def _planned(self, order: Order, plan: Plan | None, problem: str) -> None:
        if not self._shown or order != self._order():
            return  # another is on its way
        self._plan, self._problem = plan, problem
        self._form.show_problem(problem)
        self._show_yaml(order, problem)
        self.query_one("#summary", Static).update(
            summary_text(plan, bool(self.grid.selected), problem, len(self._slots))
        )
        self.show_detail()
        if self._asked is not None:
            asked, self._asked = self._asked, None
            self._confirm(again=asked)

    def _show_yaml(self, order: Order, problem: str) -> None:
        """What the choice would be as a suite."""
        from engine.planning import order_suite
        from engine.suites import suite_yaml
        from tui.launch.suites import yaml_text

        catalogue = self.app.catalogue
        if catalogue is None or problem:
            self._form.show_yaml(Content(""))
            return
        suite = order_suite(catalogue, order, order.suite or "selection", "")
        self._form.show_yaml(yaml_text(suite_yaml(suite)))

    # Actions

    def action_launch_missing(self) -> None:
        self._confirm(again=False)

    def action_launch_all(self) -> None:
        self._confirm(again=True)

    def _confirm(self, again: bool) -> None:
        from tui.launch.confirm import ConfirmScreen

        if self._problem:
            self.notify(self._problem, severity="warning")
            return
        if self._plan is None:
            self._asked = again  # as soon as it is worked out
            return
        plan = self._plan
        runs = plan.runs if again else plan.missing
        if not runs:
            self.notify("All of this is done, running or queued: L launches it again.")
            return
        launcher = self._form.choices.launcher

        def confirmed(ready: Sequence[PlannedRun] | None) -> None:
            self.look_for_data()  # some may have been fetched meanwhile
            if ready:
                self._enqueue(ready, plan.label, launcher)

        self.app.push_screen(ConfirmScreen(plan, runs, self.machine, self._place), confirmed)

    @property
    def _place(self) -> SlurmProfile | None:
        """The cluster that the form names, if any."""
        launcher, catalogue = self._form.choices.launcher, self.app.catalogue
        return None if launcher is None or catalogue is None else catalogue.launcher(launcher)

    @work(thread=True, group="enqueue")
    def _enqueue(self, runs: Sequence[PlannedRun], label: str | None, launcher: str | None) -> None:
        from engine.store.requests import enqueue_planned

        try:
            enqueue_planned(self.app.location, runs, label, launcher)
        except (UserError, OSError) as error:
            self.call_later(self.notify, f"Nothing was launched: {error}", severity="error")
            return
        self.app.call_later(self.app.look_after_queue)
        self.call_later(self._launched, len(runs))

    async def _launched(self, runs: int) -> None:
        self.notify(f"{count(runs, 'run')} in the queue.")
        self.grid.select(())
        await self.app.action_show("live")

    def action_save_suite(self) -> None:
        """Keep the selection, with its seeds and settings, under a name."""
        from tui.launch.suites import SaveSuiteScreen

        if self._problem:
            self.notify(self._problem, severity="warning")
        elif self.app.catalogue is not None and self.grid.cursor_key is not None:
            order = self._order()
            assert order is not None
            screen = SaveSuiteScreen(self.app.catalogue, order)
            self.app.push_screen(screen, self._suite_saved)

    def _suite_saved(self, name: str | None) -> None:
        if name is not None:
            self._form.choose_suite(name, fill=False)

    def action_load_suite(self) -> None:
        """Choose a suite: its cells, seeds and settings."""
        from tui.launch.suites import LoadSuiteScreen

        if self.app.catalogue is not None:
            screen = LoadSuiteScreen(self.app.catalogue, self._form.choices.suite)
            self.app.push_screen(screen, self._suite_named)

    def _suite_named(self, name: str | None) -> None:
        if name is not None:
            self._form.choose_suite(name)

    def action_fetch(self) -> None:
        """Fetch the data set under the cursor."""
        key, catalogue = self.grid.cursor_key, self.app.catalogue
        if key is not None and catalogue is not None:
            self._offer_fetch(catalogue.datasets[key[1]])

    def action_data(self) -> None:
        """The catalogue of data sets."""
        key = self.grid.cursor_key
        self.post_message(CatalogueWanted(key[1] if key else None))

    def on_data_sets_changed(self) -> None:
        """Look for data sets that were fetched meanwhile."""
        self.look_for_data()

    @work(thread=True, group="fetch", exclusive=True)
    def _offer_fetch(self, dataset: Dataset) -> None:
        from engine.datasets.locate import is_ready

        name = dataset.name
        if is_ready(dataset):
            self.call_later(self.notify, f"{name} is ready.")
        elif dataset.archive is None:
            self.call_later(
                self.notify,
                f"{name} can't be fetched: put its files under SEQBENCH_DATA.",
                severity="warning",
            )
        else:
            self.call_later(self._open_fetch, dataset)

    def _open_fetch(self, dataset: Dataset) -> None:
        from tui.dialogs.fetch import FetchScreen

        self.app.push_screen(FetchScreen(dataset), self._fetched)

    def _fetched(self, ready: bool | None) -> None:
        if ready:
            self.look_for_data()
