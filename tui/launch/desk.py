"""The desk of the Launch screen: plans what grid and form choose, and launches it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual.content import Content
from textual.message import Message

from engine.errors import UsageError
from tui.lab import Lab
from tui.launch.devices.slots import DeviceSlots
from tui.launch.form import LaunchForm
from tui.launch.grid.cells import CellKey
from tui.launch.grid.grid import CellGrid
from tui.launch.words import settings_hint, summary_text
from tui.messages import DataSetsChanged
from tui.shell.reading import Reading
from tui.shell.text import count
from tui.widgets.text_box import TextBox
from tui.widgets.yaml_text import yaml_text

if TYPE_CHECKING:
    from engine.config import Catalogue
    from engine.order import Order
    from engine.planning import Plan, PlannedRun

Cells = frozenset[CellKey]


class OrderDesk(TextBox):
    """Plans the chosen cells, seeds and settings, shows the plan, and launches it.

    Args:
        grid: where cells are chosen.
        form: where seeds, settings and the launcher are chosen; shows what is wrong with them.
        devices: where runs on this machine go.
    """

    app: Lab

    class Planned(Message):
        """The plan of what is chosen is known, or why there can't be one."""

    def __init__(self, grid: CellGrid, form: LaunchForm, devices: DeviceSlots) -> None:
        super().__init__(id="summary", classes="panel")
        self.present: frozenset[str] = frozenset()
        """Fingerprints of runs that are queued, running or done."""
        self._grid, self._form, self._devices = grid, form, devices
        self._plan: Plan | None = None  # while there is none, one is on its way
        self._problem = ""
        self._asked: tuple[Callable[[Cells], None], Cells] | None = None
        """What is to be done once there is a plan, and which cells were chosen then."""
        self._outdated: Catalogue | None = None
        """The configuration that is being read again before something is launched."""
        self._plans = Reading(self, self._take, self._refuse)

    @property
    def order(self) -> Order | None:
        """What is chosen; ``None`` before the configuration is there."""
        catalogue = self.app.catalogue
        if catalogue is None:
            return None
        from engine.planning import order_of_cells  # with the configuration, which is there now

        choices = self._form.choices
        cells = (self._asked and self._asked[1]) or self._cells
        return order_of_cells(
            catalogue, cells, choices.seeds, choices.profile, choices.settings, choices.suite
        )

    @property
    def awaited(self) -> bool:
        """Whether something is done as soon as there is a plan."""
        return self._asked is not None

    @property
    def _cells(self) -> frozenset[CellKey]:
        here = self._grid.cursor_key
        return self._grid.selected or frozenset([here] if here else [])

    def name_frame(self) -> None:
        """Say in the frame what enter launches."""
        enter = self.app.key_written("⏎")
        under = f"{enter} launches the cell under the cursor"
        self.border_title = "Selection" if self._grid.selected else under

    def replan(self) -> None:
        """Work out the plan of what is chosen now; `Planned` follows."""
        self._plan = None
        order, catalogue = self.order, self.app.catalogue
        if order is None or catalogue is None:
            return
        if self._form.problem:
            self._show(None, self._form.problem)
        elif self._grid.cursor_key is not None:
            present, location = self.present, self.app.location
            slots, measured = self._devices.machine.slots, dict(self.app.measured)

            def read() -> tuple[Catalogue, Plan]:
                from tui.launch.reading import plan_order

                plan = plan_order(catalogue, order, present, location, slots, measured)
                return catalogue, plan

            self._plans.ask(read, order)

    def _take(self, found: tuple[Catalogue, Plan]) -> None:
        catalogue, plan = found
        if catalogue is not self.app.catalogue:
            return  # the next plan is of the one that was read meanwhile
        if plan.order == self.order and not self._form.problem:
            self._show(plan, "")

    def _refuse(self, problem: str) -> None:
        if not self._form.problem:
            self._show(None, problem)

    def _show(self, plan: Plan | None, problem: str) -> None:
        self._plan, self._problem = plan, problem
        self._form.show_problem(problem)
        self._form.show_yaml(self._yaml())
        if self.app.catalogue is not None:
            models = dict.fromkeys(model for model, _, _ in self._cells)
            profile = self._form.choices.profile
            self._form.show_hint(settings_hint(self.app.catalogue, models, profile))
        slots = self._devices.machine.slots
        self.update(summary_text(plan, bool(self._grid.selected), problem, slots))
        self.post_message(self.Planned())
        if self._asked is not None and self.app.catalogue is not self._outdated:
            (act, cells), self._asked = self._asked, None
            act(cells)
            if cells != self._cells:  # the user has gone on meanwhile
                self.replan()

    def _yaml(self) -> Content:
        """Write what is chosen as a suite; nothing if it can't be planned."""
        if self._plan is None or self.app.catalogue is None:
            return Content("")
        from engine.config.suites import suite_yaml
        from engine.planning import order_suite  # loaded with the plan

        order = self._plan.order
        suite = order_suite(self.app.catalogue, order, order.suite or "selection", "")
        return yaml_text(suite_yaml(suite))

    def confirm(self, again: bool) -> None:
        """Ask before launching what is missing, or with ``again`` all of the plan, of models as
        their files are now."""
        self._once_renewed(partial(self._confirm, again))

    def tune(self) -> None:
        """Ask about a study of the chosen models, as their files are now."""
        self._once_renewed(self._tune)

    def _once_renewed(self, act: Callable[[Cells], None]) -> None:
        """Act on the cells that are chosen now; if models' files have changed, once they are
        read."""
        cells = self._cells
        if not self._form.problem and self.app.renew_catalogue(self._not_renewed):
            self._outdated = self.app.catalogue
            self._plan, self._asked = None, (act, cells)
        else:
            act(cells)

    def _not_renewed(self, problem: str) -> None:
        self._asked = self._outdated = None
        self.notify(f"Nothing was launched: {problem}", severity="error")
        self.replan()

    def _confirm(self, again: bool, cells: Cells) -> None:
        from tui.launch.confirm import ConfirmScreen

        plan, catalogue = self._plan, self.app.catalogue
        if self._problem:
            self.notify(self._problem, severity="warning")
            return
        if plan is None or catalogue is None:
            self._asked = partial(self._confirm, again), cells  # as soon as it is worked out
            return
        runs = plan.runs if again else plan.missing
        if not runs:
            self.notify("Everything here is done, running or queued. Press L to re-run it.")
            return
        name, screen = self._form.choices.launcher, self.screen
        launcher = None if name is None else catalogue.launcher(name)

        def confirmed(ready: Sequence[PlannedRun] | None) -> None:
            screen.post_message(DataSetsChanged())  # some may have been fetched meanwhile
            if ready:
                self._enqueue(plan, ready, name, again=again)

        remember = self.app.measured.__setitem__
        self.app.push_screen(
            ConfirmScreen(plan, runs, self._devices, launcher, remember), confirmed
        )

    def _tune(self, cells: Cells) -> None:
        from engine.planning import fitted_sentence
        from tui.launch.tuning.screen import TuneScreen

        catalogue, choices, screen = self.app.catalogue, self._form.choices, self.screen
        if self._form.problem or catalogue is None or not cells:
            self.notify(self._form.problem or "Choose a cell first.", severity="warning")
            return
        try:
            kinds = {model: catalogue.kind(model, choices.profile) for model, _, _ in cells}
        except UsageError as error:  # a model's file that was changed
            self.notify(str(error), severity="warning")
            return
        ordered = catalogue.in_order(cells)
        fitted = list(dict.fromkeys(model for model, _, _ in ordered if kinds[model] == "fitted"))
        trained = [cell for cell in ordered if cell[0] not in fitted]
        if not trained:
            self.notify(fitted_sentence(fitted), severity="warning")
            return

        async def begun(name: str | None) -> None:
            screen.post_message(DataSetsChanged())  # it may have been fetched meanwhile
            if name is not None:
                await self._launched(f"The study {name} has begun.")
                self.app.open_study(name)

        cursor = self._grid.cursor_key
        self.app.push_screen(
            TuneScreen(catalogue, trained, fitted, cursor, choices, self._devices), begun
        )

    async def _launched(self, words: str) -> None:
        """See to it that what was queued is worked on, and show it."""
        self.app.look_after_queue()
        self.notify(words)
        self._grid.select(())
        await self.app.action_show("live")

    def _enqueue(
        self, plan: Plan, runs: Sequence[PlannedRun], launcher: str | None, *, again: bool
    ) -> None:
        """Queue runs, those first that give a plan its floor, which belong to no suite; unless
        ``again`` without those that others have queued meanwhile."""
        location, floor = self.app.location, {run.fingerprint for run in plan.floor}
        along = [run for run in runs if run.fingerprint in floor]
        asked = [run for run in runs if run.fingerprint not in floor]

        def enqueue() -> list[str]:
            from engine.store.requests import enqueue_planned

            queued = enqueue_planned(location, along, None, launcher, again=again) if along else []
            return [*queued, *enqueue_planned(location, asked, plan.label, launcher, again=again)]

        async def enqueued(ids: list[str]) -> None:
            await self._launched(f"{count(len(ids), 'run')} queued.")

        def failed(problem: str) -> None:
            self.notify(f"Nothing was launched: {problem}", severity="error")

        self.app.carry_out(enqueue, enqueued, failed, leads=True)

    def save_suite(self) -> None:
        """Keep what is chosen under a name."""
        from tui.launch.suites import save_suite_screen

        order, catalogue = self.order, self.app.catalogue
        if self._problem:
            self.notify(self._problem, severity="warning")
        elif order is not None and catalogue is not None and self._grid.cursor_key is not None:

            def saved(name: str | None) -> None:
                if name is not None:
                    # After the message with the catalogue, which fills the form's list of suites.
                    self.screen.call_later(self._form.choose_suite, name, fill=False)

            self.app.push_screen(save_suite_screen(self.app, catalogue, order), saved)

    def load_suite(self) -> None:
        """Choose a suite: its cells, seeds and settings."""
        from tui.launch.suites import load_suite_screen

        if self.app.catalogue is not None:

            def chosen(name: str | None) -> None:
                if name is not None:
                    self._form.choose_suite(name)

            screen = load_suite_screen(self.app.catalogue, self._form.choices.suite)
            self.app.push_screen(screen, chosen)
