"""The last look before launching: what runs, what it costs, where."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from engine.order import settings_text
from tui.launch.cluster import place_text
from tui.launch.costs import (
    Machine,
    memory_text,
    parameters_text,
    slots_text,
    source_text,
    time_text,
)
from tui.launch.words import aligned
from tui.shell.text import PARAGRAPH, TITLE, bytes_, count, plain, whole
from tui.widgets.key_button import KeyButton

if TYPE_CHECKING:
    from engine.config import SlurmProfile
    from engine.machine.estimates import CostEstimate, MeasuringProcess
    from engine.machine.slots import Slot
    from engine.planning import Plan, PlannedRun
    from engine.spec import Dataset, RunSpec
    from tui.lab import Lab

MOST_MEASURED = 9
"""Kinds of run that are tried out while the question stands; each takes some seconds."""

BY_HAND = "put its files under SEQBENCH_DATA."


class ConfirmScreen(ModalScreen["Sequence[PlannedRun] | None"]):
    """Answers with the runs to launch, or ``None``. Runs without data are left out."""

    CSS_PATH = "../dialogs/buttons.tcss"
    BINDINGS = [  # noqa: RUF012
        Binding("enter,y", "launch", "Launch", key_display="⏎"),
        Binding("f", "fetch", "Fetch data"),
        Binding("escape,n", "cancel", "Back", key_display="esc"),
    ]
    AUTO_FOCUS = "VerticalScroll"

    app: Lab

    def __init__(
        self,
        plan: Plan,
        runs: Sequence[PlannedRun],
        machine: Machine,
        place: SlurmProfile | None = None,
    ) -> None:
        super().__init__()
        self._machine = machine
        self._place = place
        self._measuring: MeasuringProcess | None = None
        self._to_measure = 0
        self._tried: set[str] = set()
        self._unmeasured = self._problem = ""  # why
        self._left = threading.Event()
        self._plan = plan
        self._runs = tuple(runs)
        self._absent = plan.absent_of(runs)

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog") as dialog:
            dialog.border_title = "Launch"
            yield Static(id="facts", markup=False)
            yield Static(id="absent", markup=False)
            with Horizontal(classes="buttons"):
                yield KeyButton("⏎", "Launch", id="launch", main=True)
                yield KeyButton("f", "Fetch", id="fetch")
                yield KeyButton("esc", "Back", id="cancel")

    def on_mount(self) -> None:
        self._show()
        self._begin_measuring()

    def on_unmount(self) -> None:
        """What is still being measured isn't wanted any more."""
        self._left.set()
        if self._measuring is not None:
            self._measuring.stop()

    @property
    def ready(self) -> tuple[PlannedRun, ...]:
        """The runs whose data is here."""
        absent = {dataset.name for dataset in self._absent}
        return tuple(run for run in self._runs if run.spec.dataset not in absent)

    def _show(self) -> None:
        self.query_one("#facts", Static).update(self._facts())
        absent = self.query_one("#absent", Static)
        absent.update(Content("\n").join(self._costs()))
        absent.display = bool(self._absent)
        fetchable = [dataset for dataset in self._absent if dataset.archive is not None]
        self.query_one("#fetch").display = bool(fetchable)
        launch = self.query_one("#launch", KeyButton)
        launch.display = bool(self.ready)
        some = len(self.ready) < len(self._runs)
        launch.say(
            f"Launch {len(self.ready):,} of {len(self._runs):,}"
            if some
            else f"Launch {count(len(self._runs), 'run')}"
        )

    def _facts(self) -> Content:
        runs, specs = self._runs, [run.spec for run in self._runs]
        left_out = len(self._plan.runs) - len(runs)
        again = sum(not run.missing for run in runs)
        number = count(len(runs), "run")
        if left_out:
            number += f"; {left_out:,} more queued, running or done already"
        elif again:
            number += f", {again:,} of them queued, running or done already"
        parameters = parameters_text(runs)
        if len(runs) > 1:
            parameters += f" each, {whole(sum(run.parameters for run in runs))} in all"
        facts: list[tuple[str, Content | str]] = [
            ("Runs", number),
            ("Models", _names(self._title(spec.model) for spec in specs)),
            ("Data sets", _names(spec.dataset for spec in specs)),
            ("Lengths", _names(map(str, sorted({spec.length for spec in specs})))),
            ("Seeds", _names(map(str, sorted({spec.seed for spec in specs})))),
            ("Settings", self._settings()),
            ("Parameters", parameters),
            *self._where(),
        ]
        return Content("\n").join(aligned(facts))

    def _where(self) -> list[tuple[str, Content | str]]:
        """What it takes here; what a cluster's nodes need nobody knows."""
        runs = self._runs
        if self._place is not None:
            limits = [f"{self._place.memory} of memory" if self._place.memory else "",
                      f"{self._place.time} of time" if self._place.time else ""]  # fmt: skip
            limit = " and ".join(filter(None, limits))
            place = place_text(len(runs), self._place)
            return [("Where", place), *([("Limits", f"{limit} a job")] if limit else [])]
        return [
            ("Memory", self._memory()),
            ("Time", time_text(runs, len(self._machine.used(len(runs))))),
            *([("Known", source)] if (source := self._source()) else []),
            ("Slots", slots_text(len(runs), self._machine)),
        ]

    def _memory(self) -> Content:
        text, tight = memory_text(self._runs, self._machine)
        warning = " · more than there is" if tight else ""
        return Content.assemble(text, (warning, "$warning"))

    def _source(self) -> Content:
        """Where memory and time are known from, and what is being done about the rest."""
        more = " more" if any(run.cost for run in self._runs) else ""
        parts = [
            source_text(self._runs),
            f"measuring {self._to_measure}{more} …" if self._to_measure else "",
            "" if self._to_measure else self._unmeasured or self._problem,
        ]
        return Content.styled("; ".join(filter(None, parts)), "$text-muted")

    # What isn't known is measured

    def _begin_measuring(self) -> None:
        """One run of every kind that nothing is known of, in a slot that is free; nothing for a
        cluster, whose nodes aren't this machine."""
        if self._place is not None:
            self._show()
            return
        from engine.machine.estimates import cost_key

        here = {run.spec.dataset for run in self.ready}
        wanted = [run.spec for run in self._runs if run.cost is None and run.spec.dataset in here]
        kinds: dict[str, RunSpec] = {}
        for spec in wanted:
            kinds.setdefault(cost_key(spec), spec)
        room = MOST_MEASURED - len(self._tried)
        chosen = [kind for kind in kinds.items() if kind[0] not in self._tried][:room]
        slot = self._machine.free
        if slot is not None and chosen and not self._to_measure:
            self._tried.update(key for key, _ in chosen)
            self._to_measure = len(chosen)
            self._measure(chosen, slot)
        self._unmeasured = "measured when a slot is free" if slot is None and chosen else ""
        self._show()

    def machine_seen(self, machine: Machine) -> None:
        """The devices were looked at again."""
        self._machine = machine
        if self.is_mounted:
            self._begin_measuring()

    @work(thread=True, group="measure", exclusive=True)
    def _measure(self, kinds: Sequence[tuple[str, RunSpec]], slot: Slot) -> None:
        from engine.errors import TrainingError
        from engine.machine.estimates import MeasuringProcess

        for key, spec in kinds:
            if self._left.is_set():
                return
            cost, problem = None, ""
            try:
                measuring = self._measuring = MeasuringProcess(spec, slot)
                if self._left.is_set():
                    measuring.stop()
                cost = measuring.result()
            except (TrainingError, OSError) as error:
                problem = str(error)
            if not self._left.is_set():
                self.call_later(self._measured, key, cost, problem)

    def _measured(self, key: str, cost: CostEstimate | None, problem: str) -> None:
        from engine.machine.estimates import cost_key

        self._to_measure -= 1
        if cost is None:
            self._problem = plain(problem, PARAGRAPH)
        else:
            self._machine.measured[key] = cost
            self._runs = tuple(
                replace(run, cost=cost) if run.cost is None and cost_key(run.spec) == key else run
                for run in self._runs
            )
        if self.is_mounted:
            self._show()

    def _title(self, model: str) -> str:
        catalogue = self.app.catalogue
        return catalogue.models[model].title if catalogue else model

    def _settings(self) -> str:
        order = self._plan.order
        settings = settings_text(order.overrides).items()
        changed = ", ".join(f"{plain(k, TITLE)}={plain(v, TITLE)}" for k, v in settings)
        variants = ", ".join(map(plain, order.variants))
        return (
            f"profile {plain(order.profile, TITLE)}"
            + (f", {changed}" if changed else "")
            + (f", in {len(order.variants)} variants: {variants}" if variants else "")
        )

    def _costs(self) -> Iterable[Content]:
        """One sentence for all data sets of one source and licence."""
        groups: dict[tuple[str, str], list[Dataset]] = {}
        for dataset in self._absent:
            url = dataset.archive.url if dataset.archive else ""
            groups.setdefault((urlsplit(url).hostname or "", dataset.license), []).append(dataset)
        for (host, licence), datasets in groups.items():
            names = ", ".join(plain(dataset.name) for dataset in datasets)
            verb = "is" if len(datasets) == 1 else "are"
            size = sum(dataset.archive.bytes for dataset in datasets if dataset.archive)
            cost = f"{bytes_(size)} to fetch from {plain(host)}." if host else BY_HAND
            yield Content.assemble(
                (f"{names} {verb} not on this machine", "$accent"),
                f": {cost}",
                (f" {plain(licence, PARAGRAPH)}" if host else "", "$text-muted"),
            )

    @on(KeyButton.Pressed, "#launch")
    def action_launch(self) -> None:
        """Answer with the runs whose data is here."""
        if self.ready:
            self.dismiss(self.ready)
        else:
            self.action_fetch()

    @on(KeyButton.Pressed, "#cancel")
    def action_cancel(self) -> None:
        """Back without launching."""
        self.dismiss(None)

    @on(KeyButton.Pressed, "#fetch")
    def action_fetch(self) -> None:
        """Fetch what is not here, one data set after the other, then look again."""
        from tui.dialogs.fetch import FetchScreen

        dataset = next((one for one in self._absent if one.archive is not None), None)
        if dataset is None:
            return

        def fetched(ready: bool | None) -> None:
            if ready:
                self._absent.remove(dataset)
                self._begin_measuring()
                self.action_fetch()

        self.app.push_screen(FetchScreen(dataset, at_once=True), fetched)


def _names(values: Iterable[str]) -> str:
    names = [plain(value, TITLE) for value in dict.fromkeys(values)]
    return ", ".join(names) if len(names) <= 12 else f"{', '.join(names[:10])} … ({len(names)})"
