"""The last look before launching: what runs, what it costs, where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.screens.launch_plan import Plan, PlannedRun, parameters_text, time_text
from tui.screens.launch_text import aligned
from tui.text import PARAGRAPH, TITLE, bytes_, count, plain, whole
from tui.widgets.key_button import KeyButton

if TYPE_CHECKING:
    from engine.spec import Dataset, RunSpec
    from tui.app import SeqbenchApp


BY_HAND = "put its files under SEQBENCH_DATA."


class ConfirmScreen(ModalScreen["Sequence[RunSpec] | None"]):
    """Answers with the runs to launch, or ``None``. Runs without data are left out."""

    CSS_PATH = "confirm.tcss"
    BINDINGS = [  # noqa: RUF012
        Binding("enter,y", "launch", "Launch", key_display="⏎"),
        Binding("f", "fetch", "Fetch data"),
        Binding("escape,n", "cancel", "Back", key_display="esc"),
    ]
    AUTO_FOCUS = "VerticalScroll"

    app: SeqbenchApp

    def __init__(self, plan: Plan, runs: Sequence[PlannedRun]) -> None:
        super().__init__()
        self._plan = plan
        self._runs = tuple(runs)
        wanted = {run.spec.dataset for run in runs}
        self._absent = [dataset for dataset in plan.absent if dataset.name in wanted]

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

    @property
    def ready(self) -> tuple[RunSpec, ...]:
        """The runs whose data is here."""
        absent = {dataset.name for dataset in self._absent}
        return tuple(run.spec for run in self._runs if run.spec.dataset not in absent)

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
        facts = [
            ("Runs", number),
            ("Models", _names(self._title(spec.model) for spec in specs)),
            ("Data sets", _names(spec.dataset for spec in specs)),
            ("Lengths", _names(str(spec.length) for spec in specs)),
            ("Seeds", _names(str(spec.seed) for spec in specs)),
            ("Settings", self._settings()),
            ("Parameters", parameters),
            ("Time", time_text(runs)),
            ("Device", plain(self.app.device or "not known yet")),
        ]
        return Content("\n").join(aligned(facts))

    def _title(self, model: str) -> str:
        catalogue = self.app.catalogue
        return catalogue.models[model].title if catalogue else model

    def _settings(self) -> str:
        order = self._plan.order
        changed = ", ".join(
            f"{plain(k, TITLE)}={plain(v, TITLE)}" for k, v in order.overrides.items()
        )
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
        from tui.screens.launch_fetch import FetchScreen

        dataset = next((one for one in self._absent if one.archive is not None), None)
        if dataset is None:
            return

        def fetched(ready: bool | None) -> None:
            if ready:
                self._absent.remove(dataset)
                self._show()
                self.action_fetch()

        self.app.push_screen(FetchScreen(dataset, at_once=True), fetched)


def _names(values: Iterable[str]) -> str:
    names = [plain(value, TITLE) for value in dict.fromkeys(values)]
    return ", ".join(names) if len(names) <= 12 else f"{', '.join(names[:10])} … ({len(names)})"
