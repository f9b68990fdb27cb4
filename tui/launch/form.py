"""The form beside the grid: suite, seeds, lengths, profile and settings, read as typed.

Its fields are mounted once the configuration is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from rich.text import Text
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Label, Select, Static
from textual.widgets.select import InvalidSelectValueError

from engine.errors import UsageError
from tui.launch.cluster import THIS_MACHINE, launchers
from tui.shell.text import PARAGRAPH, TITLE, plain

if TYPE_CHECKING:
    from engine.config import Catalogue
    from engine.spec import Suite, Sweep
    from tui.widgets.field import Field
    from tui.widgets.text_field import TextField


class Choices(NamedTuple):
    """What is chosen in the form; while a field makes no sense, what was chosen before."""

    lengths: tuple[int, ...] = ()
    seeds: tuple[int, ...] = ()
    profile: str = ""
    settings: Mapping[str, Sweep] = MappingProxyType({})
    suite: str | None = None
    launcher: str | None = None
    """``None`` is this machine."""


class LaunchForm(VerticalScroll, can_focus=False):
    """Posts `Changed` at every key. `build` mounts its fields, after the first paint."""

    DEFAULT_CSS = """
    LaunchForm {
        height: 1fr;
        scrollbar-size-vertical: 1;
        & > Label {
            color: $text-muted;
            margin: 1 0 0 0;
        }
        & > Label#suite-label { margin: 0; }
        Input, SelectCurrent, TextArea { background: $surface; }
        Input.-textual-compact, TextArea.-textual-compact { padding: 0 1; }
        Input:focus, TextArea:focus { background: $panel; }
        Select:focus > SelectCurrent { background: $panel; }
        TextArea { height: auto; min-height: 3; max-height: 8; }
        #form-problem { color: $error; margin: 1 0 0 0; display: none; }
        #form-hint { color: $text-disabled; margin: 1 0 0 0; display: none; }
        &.-settings > #form-hint { display: block; }
        &.-settings > #yaml, &.-settings > #yaml-label { display: none; }
    }
    """

    class Changed(Message):
        """Something was typed or chosen: see ``choices`` and ``problem``."""

    class SuiteChosen(Message):
        """Ask to select the suite's cells; the fields hold its other settings already."""

        def __init__(self, suite: Suite) -> None:
            super().__init__()
            self.suite = suite

    class Finished(Message):
        """Tell that enter was pressed in a field, which gives the focus to the grid."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.choices = Choices()
        self.problem = ""
        self._suites: dict[str, Suite] = {}
        self._seeds: Field
        self._lengths: Field
        self._settings: TextField

    async def build(self, catalogue: Catalogue, kept: Mapping[str, object]) -> None:
        """Mount the fields, and fill them with what the catalogue offers; later, its suites and
        profiles.

        Args:
            kept: what `content` was when the app was left.
        """
        from engine.order import DEFAULT_LENGTHS, DEFAULT_SEEDS
        from tui.widgets.field import Field
        from tui.widgets.text_field import TextField  # slow to import: not before the first paint

        self._suites = catalogue.suites
        suites = [
            (Text(plain(f"{suite.name}: {suite.title}", TITLE)), suite.name)
            for suite in self._suites.values()
        ]
        names = catalogue.profiles
        profiles = [(Text(plain(name, TITLE)), name) for name in names]
        if self.query("#suite"):
            self._renew(suites, profiles)
            return
        lengths = catalogue.reference_lengths or DEFAULT_LENGTHS
        elsewhere = [(Text(title), name) for title, name in launchers(catalogue)]
        self.choices = Choices(lengths=lengths, seeds=DEFAULT_SEEDS, profile=names[0])
        example = "epochs=20\nlr=0.001,0.0005"
        self._seeds = Field(
            _listed(DEFAULT_SEEDS), id="seeds", compact=True, placeholder="42  or  1-5"
        )
        self._lengths = Field(_listed(lengths), id="lengths", compact=True)
        self._settings = TextField("", id="settings", compact=True, placeholder=example)
        with self.prevent(Field.Changed, Select.Changed, TextField.Changed):
            await self.mount_all(
                [
                    Label("Suite", id="suite-label"),
                    Select(suites, prompt="Custom", id="suite", compact=True),
                    Label("Seeds"),
                    self._seeds,
                    Label("Lengths"),
                    self._lengths,
                    Label("Profile"),
                    Select(
                        profiles,
                        value=names[0],
                        allow_blank=False,
                        id="profile",
                        compact=True,
                    ),
                    *(
                        [
                            Label("Where"),
                            Select(elsewhere, prompt=THIS_MACHINE, id="launcher", compact=True),
                        ]
                        if elsewhere
                        else []
                    ),
                    Label("Overrides"),
                    self._settings,
                    Static("", id="form-problem", markup=False),
                    Static("", id="form-hint", markup=False),
                    Label("As a suite", id="yaml-label"),
                    Static("", id="yaml", markup=False),
                ]
            )
            self._fill(kept)

    def _renew(
        self, suites: Sequence[tuple[Text, str]], profiles: Sequence[tuple[Text, str]]
    ) -> None:
        """Offer other suites and profiles; a choice that is gone becomes none or the first."""
        suite, profile = self.choices.suite, self.choices.profile
        names = [name for _, name in profiles]
        with self.prevent(Select.Changed):
            choice = self.query_one("#suite", Select)
            choice.set_options(suites)
            choice.value = suite if suite in self._suites else Select.NULL
            choice = self.query_one("#profile", Select)
            choice.set_options(profiles)
            choice.value = profile if profile in names else names[0]
        if profile not in names:
            self._read()

    def content(self) -> dict[str, str]:
        """Return what is in the fields, by their names."""
        selects = {select.id: select.value for select in self.query(Select)}
        texts = {line.id: line.value for line in (self._seeds, self._lengths)}
        found = {**selects, **texts, "settings": self._settings.text}
        return {str(name): str(v) for name, v in found.items() if v is not Select.NULL}

    def _fill(self, kept: Mapping[str, object]) -> None:
        """Put back what was in the fields, as far as it can still be chosen."""
        given = {name: value for name, value in kept.items() if isinstance(value, str)}
        before = self.content()
        for select in self.query(Select):
            with suppress(InvalidSelectValueError):
                select.value = given.get(str(select.id), select.value)
        for line in (self._seeds, self._lengths):
            line.value = given.get(str(line.id), line.value)
        self._settings.load_text(given.get("settings", ""))
        if self.content() != before:
            self._read()

    def show_problem(self, sentence: str) -> None:
        """Say what is wrong; an empty sentence takes that away."""
        said = plain(sentence, PARAGRAPH)
        for line in self.query("#form-problem").results(Static):
            if said != line.content:
                line.update(said)
            line.display = bool(sentence)

    def show_hint(self, text: str) -> None:
        """Say below the overrides, while they are typed, what can be set."""
        for line in self.query("#form-hint").results(Static):
            if text != line.content:
                line.update(text)

    def show_yaml(self, text: Content) -> None:
        """Show what is chosen as a suite. Only text of another height lays out the screen."""
        for line in self.query("#yaml").results(Static):
            width, height = line.content_size
            same = width and text.get_height(line.styles.get_rules(), width) == height
            line.update(text, layout=not same)

    def choose_suite(self, name: str, fill: bool = True) -> None:
        """Name a suite; ``fill`` takes its settings into the other fields."""
        for select in self.query("#suite").results(Select):
            if fill:
                with self.prevent(Select.Changed):
                    select.clear()  # the same again fills the fields again
                select.value = name
                return
            with self.prevent(Select.Changed):
                select.value = name
            self._read()

    def on_descendant_focus(self) -> None:
        """While settings are typed, list below the ones that there are."""
        self.set_class(bool(self.query("#settings:focus")), "-settings")

    def on_descendant_blur(self) -> None:
        self.remove_class("-settings")

    def focus_first(self) -> None:
        """Focus the first field to type in."""
        for seeds in self.query("#seeds"):
            seeds.focus()

    def on_input_changed(self) -> None:
        self._read()

    def on_text_area_changed(self) -> None:
        self._read()

    def _read(self) -> None:
        from engine.order import parse_lengths, parse_seeds, parse_settings

        suite = self.query_one("#suite", Select).value
        launcher = next((one.value for one in self.query("#launcher").results(Select)), Select.NULL)
        try:
            self.choices = Choices(
                lengths=parse_lengths(self._lengths.value),
                seeds=parse_seeds(self._seeds.value),
                profile=str(self.query_one("#profile", Select).value),
                settings=parse_settings(self._settings.text),
                suite=None if suite is Select.NULL else str(suite),
                launcher=None if launcher is Select.NULL else str(launcher),
            )
        except UsageError as error:
            self.problem = str(error)
        else:
            self.problem = ""
        self.show_problem(self.problem)
        self.post_message(self.Changed())

    def on_select_changed(self, event: Select.Changed) -> None:
        """Fill the other fields with a suite that was chosen."""
        from engine.order import settings_text

        suite = self._suites.get(str(event.value)) if event.select.id == "suite" else None
        if suite is not None:
            with self.prevent(self._seeds.Changed, Select.Changed, self._settings.Changed):
                lengths = sorted({*self.choices.lengths, *suite.lengths})
                own = settings_text(suite.overrides).items()
                settings = (f"{key}={value}" for key, value in own)
                self._seeds.value = _listed(suite.seeds)
                self._lengths.value = _listed(lengths)
                self.query_one("#profile", Select).value = suite.profile
                self._settings.load_text("\n".join(settings))
        self._read()
        if suite is not None:
            self.post_message(self.SuiteChosen(suite))

    def on_input_submitted(self) -> None:
        self.post_message(self.Finished())


def _listed(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers))
