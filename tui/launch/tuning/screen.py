"""The dialog that begins a study: its budget, how it searches, and the spaces of its models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Label, Select, Static

from engine.config import Catalogue, SlurmProfile
from engine.planning import fitted_sentence
from engine.planning.study import FINAL_SEEDS, SEED, TRIALS
from engine.spec import Dataset
from tui.dialogs.ask import AskScreen
from tui.dialogs.fetch import FetchScreen
from tui.lab import Lab
from tui.launch.cluster import THIS_MACHINE, launchers
from tui.launch.costs.estimates import Machine
from tui.launch.costs.measuring import Measuring
from tui.launch.devices.slots import DeviceSlots
from tui.launch.form import Choices
from tui.launch.grid.cells import CellKey
from tui.launch.tuning.reading import (
    CostEstimate,
    PlannedStudy,
    Typed,
    begin_planned,
    plan_typed,
    read_spaces_text,
)
from tui.launch.tuning.words import cost_facts, total_text
from tui.launch.words import aligned, profile_text
from tui.shell.reading import Reading
from tui.shell.text import PARAGRAPH, TITLE, plain
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field
from tui.widgets.key_button import KeyButton
from tui.widgets.text_field import TextField

SAMPLERS = {"tpe": "tpe: model-based", "random": "random", "grid": "grid: all of it"}
PRUNES = {"none": "none", "asha": "asha: halving"}


class TuneScreen(ModalScreen[str]):
    """Answers with the name of the study that it began.

    Args:
        catalogue: the configuration.
        cells: those that are chosen, of models that are trained: the data set and the length are
            chosen among theirs.
        fitted: models that are chosen and left out.
        cursor: the cell whose data set and length are chosen at first, if it is among the cells.
        choices: the profile and overrides of all trials, and where runs go.
        devices: this machine's.
    """

    CSS_PATH = "screen.tcss"
    BINDINGS = [  # noqa: RUF012
        Binding("ctrl+s", "begin", "Begin"),
        Binding("escape", "back", "Back"),
    ]
    AUTO_FOCUS = "#trials"
    VERTICAL_BREAKPOINTS = [(0, "-low"), (30, "-mid"), (46, "-tall")]  # noqa: RUF012

    app: Lab

    def __init__(
        self,
        catalogue: Catalogue,
        cells: Sequence[CellKey],
        fitted: Sequence[str],
        cursor: CellKey | None,
        choices: Choices,
        devices: DeviceSlots,
    ) -> None:
        super().__init__()
        self._catalogue = catalogue
        self._cells = cells
        self._fitted = fitted
        self._first = cursor if cursor is not None and cursor in cells else cells[0]
        self._choices = choices
        self._devices = devices
        self._slots = devices.machine.slots
        self._models = tuple(dict.fromkeys(model for model, _, _ in cells))
        self._study: PlannedStudy | None = None
        self._problem = self._read = ""
        self._filled = self._begun = False
        self._space = TextField("", id="space", compact=True)
        self._spaces = Reading(self, self._fill, self._refuse)
        self._plans = Reading(self, self._take, self._refuse)
        self._measuring = Measuring(self, self._measured, self._show)

    def compose(self) -> ComposeResult:
        keys = (
            KeyButton("^s", "Begin", "begin", main=True),
            KeyButton("tab", "Next field", "next_field"),
            KeyButton("esc", "Back", "back"),
        )
        with Dialog("Tune", *keys):
            yield Static(id="facts", markup=False)
            with Container(id="fields"):
                yield from self._fields()
            yield Static("", id="problem", markup=False)
            yield Label("Space: what is tried of each model", classes="muted")
            yield self._space
            yield Static("", id="cost", markup=False)

    def _fields(self) -> Iterable[Widget]:
        _, dataset, length = self._first
        datasets = list(dict.fromkeys(name for _, name, _ in self._cells))
        lengths = sorted({length for _, _, length in self._cells})
        yield Label("Data set")
        yield _choice("dataset", dict(zip(datasets, datasets, strict=True)), dataset)
        yield Label("Length")
        yield _choice("length", {str(one): str(one) for one in lengths}, str(length))
        yield Label("Name")
        yield Field("", id="name", compact=True, classes="-long")
        yield Label("Trials")
        yield Field(str(TRIALS), id="trials", compact=True)
        yield Label("Minutes")
        yield Field("", id="minutes", compact=True, placeholder="no limit")
        yield Label("Final seeds")
        yield Field(str(FINAL_SEEDS), id="final-seeds", compact=True)
        yield Label("Seed")
        yield Field(str(SEED), id="seed", compact=True)
        yield Label("Sampler")
        yield _choice("sampler", SAMPLERS, "tpe")
        yield Label("Pruning")
        yield _choice("prune", PRUNES, "none")
        if elsewhere := launchers(self._catalogue):
            yield Label("Where")
            options = [(Text(title), name) for title, name in elsewhere]
            names = [name for _, name in elsewhere]
            chosen = self._choices.launcher
            yield Select(
                options,
                prompt=THIS_MACHINE,
                value=chosen if chosen in names else Select.NULL,
                id="launcher",
                compact=True,
                classes="-long",
            )

    def on_mount(self) -> None:
        """Read the spaces; then plan what is typed, again whenever the slots are others."""
        self._devices.looked.subscribe(self, self._devices_seen)
        fixed = self._choices.settings
        catalogue, config_dir = self._catalogue, self.app.config_dir
        models, profile = self._models, self._choices.profile

        def read() -> str:
            return read_spaces_text(catalogue, config_dir, models, profile, fixed)

        self._show()
        self._spaces.ask(read)

    def on_unmount(self) -> None:
        """End what is being measured."""
        self._measuring.stop()

    def on_resize(self) -> None:
        """Wrap what is said in the new width, which the dialog has only after the next layout."""
        self.call_after_refresh(self._show)

    def _fill(self, text: str) -> None:
        self._filled, self._read = True, text.rstrip("\n")
        self._space.load_text(self._read)  # planned as if it were typed

    def _devices_seen(self, machine: Machine) -> None:
        if machine.slots != self._slots:
            self._slots = machine.slots
            self._plan()

    # What is typed

    @on(Field.Changed)
    @on(TextField.Changed)
    @on(Select.Changed)
    def _plan(self) -> None:
        """Plan what is typed now."""
        if not self._filled:
            return
        typed, catalogue, app = self._typed(), self._catalogue, self.app
        config_dir, location, slots = app.config_dir, app.location, self._slots
        measured = dict(app.measured)

        def read() -> PlannedStudy:
            return plan_typed(catalogue, config_dir, typed, location, slots, measured)

        self._plans.ask(read, typed)

    def _typed(self) -> Typed:
        dataset, length = self._place
        return Typed(
            models=self._tuned,
            dataset=dataset,
            length=length,
            profile=self._choices.profile,
            settings=self._choices.settings,
            name=self._text("name"),
            trials=self._text("trials"),
            minutes=self._text("minutes"),
            seed=self._text("seed"),
            final_seeds=self._text("final-seeds"),
            sampler=self._chosen("sampler"),
            prune=self._chosen("prune"),
            spaces=self._space.text,
            spaced=self._models,
        )

    def _text(self, name: str) -> str:
        return self.query_one(f"#{name}", Field).value

    def _chosen(self, name: str, only: str = "") -> str:
        """Return what is chosen in a field, or what it has without a choice."""
        return next((str(field.value) for field in self.query(f"#{name}").results(Select)), only)

    @property
    def _place(self) -> tuple[str, int]:
        """The data set and the length."""
        _, dataset, length = self._first
        return self._chosen("dataset", dataset), int(self._chosen("length", str(length)))

    @property
    def _tuned(self) -> tuple[str, ...]:
        """The models that are chosen there."""
        cells, place = set(self._cells), self._place
        return tuple(name for name in self._models if (name, *place) in cells)

    @property
    def _launcher(self) -> SlurmProfile | None:
        """The cluster that the runs go to; ``None`` is this machine."""
        for choice in self.query("#launcher").results(Select):
            if choice.value is not Select.NULL:
                return self._catalogue.launcher(str(choice.value))
        return None

    # What is planned

    def _take(self, study: PlannedStudy) -> None:
        self._study, self._problem = study, ""
        if self._launcher is None and study.absent is None:
            self._measuring.begin(study.unknown, self._devices.machine.free)
        self._show()

    def _measured(self, key: str, cost: CostEstimate) -> None:
        self.app.measured[key] = cost
        self._plan()

    def _refuse(self, problem: str) -> None:
        self._study, self._problem = None, problem
        self._show()

    def _show(self) -> None:
        self._say("facts", self._facts())
        study, launcher, total = self._study, self._launcher, ""
        if study is not None:
            self.query_one("#name", Field).placeholder = study.cost.study.name
            known = any(each.cost for each in study.cost.models)
            words = self._measuring.words(more=known)
            self._say("cost", cost_facts(study.cost, self._title, launcher, words))
            total = total_text(study.cost, self._slots, launcher)
        self.query_one(Dialog).border_subtitle = total
        self.query_one("#problem", Static).update(plain(self._problem, PARAGRAPH))
        # The cost stays in its place: the dialog doesn't jump while something is typed.
        self.query_one("#cost").visible = study is not None
        absent = study is not None and study.absent is not None
        self.query_one("#begin", KeyButton).say("Fetch data" if absent else "Begin")

    def _say(self, name: str, facts: Iterable[tuple[str, Content | str]]) -> None:
        line = self.query_one(f"#{name}", Static)
        line.update(Content("\n").join(aligned(facts, line.size.width)))

    def _title(self, model: str) -> str:
        return self._catalogue.models[model].title

    def _facts(self) -> Iterable[tuple[str, Content | str]]:
        yield "Models", ", ".join(plain(self._title(name), TITLE) for name in self._tuned)
        if self._fitted:
            yield "", Content.styled(fitted_sentence(self._fitted), "$text-muted")
        yield "Recipe", profile_text(self._choices.profile, self._choices.settings)

    # Keys

    @property
    def keys_wait(self) -> bool:
        """Whether a study begins once it is planned: what is typed meanwhile isn't part of it."""
        return self._plans.awaited and self._plans.busy

    def action_next_field(self) -> None:
        """Go to the next field."""
        self.focus_next()

    def action_back(self) -> None:
        """Go from the spaces to the first field, or close the dialog; ask if spaces were edited.
        A study that is beginning is waited for: it is shown then."""
        if self._begun:
            return
        if self._space.has_focus:
            self.query_one("#trials").focus()
        elif self._space.text == self._read:
            self.dismiss()
        else:
            question = "Leave? What you edited in the spaces is lost."
            self.app.push_screen(AskScreen("Tune", question, "Leave"), self._leave)

    def _leave(self, yes: bool | None) -> None:
        if yes:
            self.dismiss()

    @on(Field.Submitted)
    def action_begin(self) -> None:
        """Begin the study as it is typed now, or fetch its data set first."""
        if self._begun or not self._filled:
            return
        if self._plans.settled:
            self._begin()
        else:
            self._plans.then(self._begin_planned)

    async def _begin_planned(self) -> None:
        self._begin()

    def _begin(self) -> None:
        study = self._study
        if study is None or self._begun:
            return  # what is wrong is shown
        if study.absent is not None:
            self._fetch(study.absent)
            return
        self._begun = True
        launcher = self._launcher
        begin = partial(
            begin_planned, self.app.location, study, launcher.name if launcher else None
        )
        self.app.carry_out(begin, self.dismiss, self._not_begun, leads=True)

    def _not_begun(self, problem: str) -> None:
        self._begun = False
        self._refuse(problem)

    def _fetch(self, dataset: Dataset) -> None:
        self.app.push_screen(FetchScreen(dataset), lambda _: self._plan())


def _choice(name: str, options: Mapping[str, str], value: str) -> Widget:
    """Make a field of what can be chosen, or a text if that is one thing.

    Args:
        options: their titles.
    """
    if len(options) == 1:
        return Static(plain(value, TITLE), id=name, markup=False)
    titles = [(Text(plain(title, TITLE)), each) for each, title in options.items()]
    return Select(titles, value=value, allow_blank=False, id=name, compact=True)
