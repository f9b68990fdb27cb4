"""The dialog before a launch: which runs, what they cost, where they run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from engine.config import SlurmProfile
from engine.order import ENOUGH_SEEDS
from engine.planning import Plan, PlannedRun
from engine.spec import Dataset
from tui.dialogs.fetch import FetchScreen
from tui.lab import Lab
from tui.launch.cluster import jobs_text
from tui.launch.costs.estimates import (
    lone_text,
    memory_text,
    once_text,
    parameters_text,
    product_text,
    slots_text,
    source_text,
    time_text,
    untrained_text,
)
from tui.launch.costs.measuring import Measuring
from tui.launch.devices.slots import DeviceSlots
from tui.launch.reading import CostEstimate, cost_key  # loaded: a plan was read
from tui.launch.words import BY_HAND, aligned, profile_text
from tui.shell.text import PARAGRAPH, TITLE, bytes_, count, plain, whole
from tui.widgets.dialog import Dialog
from tui.widgets.key_button import KeyButton


class ConfirmScreen(ModalScreen["Sequence[PlannedRun] | None"]):
    """Answers with the runs to launch, or ``None``. Runs without data are left out.

    Args:
        runs: those of the plan that are asked about.
        devices: where they would go on this machine.
        launcher: the cluster that they would go to; ``None`` for this machine.
        remember: takes each cost that was measured, with its key.
    """

    CSS = """
    #absent { margin-top: 1; }
    ConfirmScreen.-crowded .dialog Button { padding: 0; margin-right: 1; }
    """
    BINDINGS = [  # noqa: RUF012
        Binding("enter,y", "launch", "Launch"),
        Binding("s", "more_seeds", "More seeds"),
        Binding("o", "floor", "Floor along"),
        Binding("f", "fetch", "Fetch data"),
        Binding("escape,n", "dismiss", "Back"),
    ]
    AUTO_FOCUS = "Dialog"

    app: Lab

    def __init__(
        self,
        plan: Plan,
        runs: Sequence[PlannedRun],
        devices: DeviceSlots,
        launcher: SlurmProfile | None,
        remember: Callable[[str, CostEstimate], object],
    ) -> None:
        super().__init__()
        self._devices = devices
        self._launcher = launcher
        self._remember = remember
        self._measuring = Measuring(self, self._measured, self._show)
        self._plan = plan
        self._runs = tuple(runs)
        self._absent = plan.absent_of(runs)
        self._floor = plan.floor  # until it is run along

    def compose(self) -> ComposeResult:
        keys = (
            KeyButton("⏎", "Launch", "launch", main=True),
            KeyButton("s", f"{ENOUGH_SEEDS} seeds", "more_seeds"),
            KeyButton("o", "Floor", "floor"),
            KeyButton("f", "Fetch", "fetch"),
            KeyButton("esc", "Back", "dismiss"),
        )
        with Dialog("Launch", *keys, scrolls=True):
            yield Static(id="facts", markup=False)
            yield Static(id="absent", markup=False)

    def on_mount(self) -> None:
        self._devices.looked.subscribe(self, lambda _: self._begin_measuring())
        self._begin_measuring()

    def on_resize(self) -> None:
        """Wrap what is said in the new width, which the dialog has only after the next layout."""
        self.call_after_refresh(self._show)

    def on_unmount(self) -> None:
        """End what is being measured."""
        self._measuring.stop()

    @property
    def ready(self) -> tuple[PlannedRun, ...]:
        """The runs whose data is here."""
        absent = {dataset.name for dataset in self._absent}
        return tuple(run for run in self._runs if run.spec.dataset not in absent)

    def _show(self) -> None:
        facts = self.query_one("#facts", Static)
        facts.update(Content("\n").join(aligned(self._facts(), facts.size.width)))
        absent = self.query_one("#absent", Static)
        absent.update(Content("\n").join(self._absent_sentences()))
        absent.display = bool(self._absent)
        fetchable = [dataset for dataset in self._absent if dataset.archive is not None]
        self.query_one("#fetch").display = bool(fetchable)
        self.query_one("#more_seeds").display = bool(self._wider)
        self.query_one("#floor").display = bool(self._floor)
        self.set_class(bool(fetchable and self._wider and self._floor), "-crowded")
        launch = self.query_one("#launch", KeyButton)
        launch.display = bool(self.ready)
        some = len(self.ready) < len(self._runs)
        launch.say(
            f"Launch {len(self.ready):,} of {len(self._runs):,}"
            if some
            else f"Launch {count(len(self._runs), 'run')}"
        )

    def _facts(self) -> list[tuple[str, Content | str]]:
        runs, specs = self._runs, [run.spec for run in self._runs]
        left_out = len(self._plan.runs) + len(self._along) - len(runs)
        again = sum(not run.missing for run in runs)
        number = count(len(runs), "run")
        if left_out:
            number += f"; {left_out:,} more queued, running or done already"
        elif again:
            number += f", {again:,} of them queued, running or done already"
        parameters = parameters_text([run.parameters for run in runs])
        if len(runs) > 1:
            parameters += f" each, {whole(sum(run.parameters for run in runs))} in total"
        return [
            ("Runs", number),
            *self._sweep(),
            ("Models", _names(self._title(spec.model) for spec in specs)),
            ("Data sets", _names(spec.dataset for spec in specs)),
            ("Lengths", _names(map(str, sorted({spec.length for spec in specs})))),
            *self._seeds(),
            *self._floor_offer(),
            ("Settings", self._settings()),
            *([("", text)] if (text := untrained_text(self._plan)) else []),
            ("Parameters", parameters),
            *self._where(),
        ]

    def _sweep(self) -> Iterable[tuple[str, Content | str]]:
        if self._plan.swept:
            yield "Sweep", f"{product_text(self._plan)} {count(len(self._plan.runs), 'run')}"

    @property
    def _along(self) -> tuple[PlannedRun, ...]:
        """The runs of fitted models that were added, for a floor."""
        asked = {run.fingerprint for run in self._plan.runs}
        return tuple(run for run in self._runs if run.fingerprint not in asked)

    def _floor_offer(self) -> Iterable[tuple[str, Content | str]]:
        """Offer to run the floor along, where there is none."""
        if self._floor:
            names = _names(run.spec.dataset for run in self._floor)
            cost = self._cost(self._floor) if any(run.cost for run in self._floor) else ""
            models = count(len({run.spec.model for run in self._floor}), "fitted model")
            yield "Floor", Content.styled(f"none of {names} yet", "$warning")
            yield "", Content.assemble(("o", "$accent"), f"  run {models} along{cost}")

    @property
    def _wider(self) -> tuple[PlannedRun, ...]:
        """The runs with more seeds per cell, if some cells would have only one seed; else none."""
        if self._plan.wider is None or not self._plan.lone_of(self._runs):
            return ()
        asked = {run.fingerprint for run in self._runs}
        costs = {run.cell: run.cost for run in self._runs}
        return tuple(
            replace(run, cost=costs.get(run.cell, run.cost))
            for run in self._plan.wider.runs
            if run.missing or run.fingerprint in asked
        )

    def _seeds(self) -> Iterable[tuple[str, Content | str]]:
        """Name the seeds; warn where a cell has only one, and say what more seeds would cost."""
        seeds = _names(map(str, sorted({run.spec.seed for run in self._runs})))
        if once := once_text(self._plan):
            yield "Seeds", f"{seeds} · {once}"
            return
        if not self._plan.lone_of(self._runs):
            yield "Seeds", seeds
            return
        yield (
            "Seeds",
            Content.assemble(seeds, " · ", (lone_text(self._plan, self._runs), "$warning")),
        )
        if wider := self._wider:
            runs = (*self._along, *wider)
            cost = f"{count(len(runs), 'run')}{self._cost(runs)}"
            yield "", Content.assemble(("s", "$accent"), f"  {ENOUGH_SEEDS} seeds: {cost}")

    def _cost(self, runs: Sequence[PlannedRun]) -> str:
        """Say how long runs take here, after a comma; on a cluster's nodes it isn't known."""
        if self._launcher is not None:
            return ""
        return f", time {time_text(runs, self._devices.machine.used(len(runs)))}"

    def _where(self) -> list[tuple[str, Content | str]]:
        """Say what the runs take here; what they take on a cluster's nodes isn't known."""
        runs, launcher, machine = self._runs, self._launcher, self._devices.machine
        if launcher is not None:
            limits = [f"{launcher.memory} of memory" if launcher.memory else "",
                      f"{launcher.time} of time" if launcher.time else ""]  # fmt: skip
            limit = " and ".join(filter(None, limits))
            jobs = jobs_text(len(runs), launcher)
            return [("Where", jobs), *([("Limits", f"{limit} per job")] if limit else [])]
        return [
            ("Memory", self._memory()),
            ("Time", time_text(runs, machine.used(len(runs)))),
            *([("Estimate", source)] if (source := self._source()) else []),
            ("Slots", slots_text(len(runs), machine)),
        ]

    def _memory(self) -> Content:
        machine = self._devices.machine
        text, tight = memory_text(self._runs, machine)
        warning = " · more than is available" if tight else ""
        if tight and len(self._runs) > 1 and machine.slots[0].device == "cpu":
            warning += ", so fewer run at once"
        return Content.assemble(text, (warning, "$warning"))

    def _source(self) -> Content:
        """Say where the estimates come from, and which runs are being measured."""
        more = any(run.cost for run in self._runs)
        parts = [source_text(self._runs), self._measuring.words(more=more)]
        return Content.styled("; ".join(filter(None, parts)), "$text-muted")

    # What isn't known is measured

    def _begin_measuring(self) -> None:
        """Measure one run of each kind whose cost isn't known, in a slot that is free.

        Nothing is measured for a cluster, whose nodes aren't this machine.
        """
        if self._launcher is None:
            unknown = [run.spec for run in self.ready if run.cost is None]
            self._measuring.begin(unknown, self._devices.machine.free)
        self._show()

    def _measured(self, key: str, cost: CostEstimate) -> None:
        self._remember(key, cost)
        self._runs = tuple(
            replace(run, cost=cost) if run.cost is None and cost_key(run.spec) == key else run
            for run in self._runs
        )

    def _title(self, model: str) -> str:
        catalogue = self.app.catalogue
        return catalogue.models[model].title if catalogue else model

    def _settings(self) -> str:
        order = self._plan.order
        variants = ", ".join(map(plain, order.variants))
        return f"profile {profile_text(order.profile, order.overrides)}" + (
            f", in {len(order.variants)} variants: {variants}" if variants else ""
        )

    def _absent_sentences(self) -> Iterable[Content]:
        """Write a sentence for all data sets of one source and licence that are not here."""
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

    def action_launch(self) -> None:
        """Answer with the runs whose data is here."""
        if self.ready:
            self.dismiss(self.ready)
        else:
            self.action_fetch()

    def action_more_seeds(self) -> None:
        """Take the plan with more seeds a cell in place of this one."""
        if (wider := self._wider) and self._plan.wider is not None:
            along = self._along
            self._plan, self._runs = self._plan.wider, (*along, *wider)
            self._begin_measuring()

    def action_floor(self) -> None:
        """Run fitted models along, before the others, so that these have a floor."""
        self._runs, self._floor = (*self._floor, *self._runs), ()
        self._begin_measuring()

    def action_fetch(self) -> None:
        """Fetch what is not here, one data set after the other, then look again."""
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
