"""The form beside the grid: suite, seeds, lengths, profile and settings, checked as typed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.message import Message
from textual.widgets import Input, Label, Select, Static, TextArea

from tui.text import plain


@dataclass(frozen=True, slots=True)
class FormValues:
    """What stands in the form, as typed."""

    seeds: str
    lengths: str
    profile: str
    settings: str


class LaunchForm(VerticalScroll, can_focus=False):
    """Says `Changed` at every key; whoever owns it checks and answers with `show_problem`."""

    DEFAULT_CSS = """
    LaunchForm {
        height: 1fr;
        scrollbar-size-vertical: 1;
        & > Label {
            color: $text-muted;
            margin: 1 0 0 0;
        }
        & > Label#suite-label { margin: 0; }
        Input, SelectCurrent, TextArea {
            background: $surface;
        }
        Input.-textual-compact, TextArea.-textual-compact { padding: 0 1; }
        Input:focus, TextArea:focus { background: $panel; }
        Select:focus > SelectCurrent { background: $panel; }
        TextArea { height: auto; min-height: 3; max-height: 8; }
        #form-problem { color: $error; margin: 1 0 0 0; }
        #form-hint { color: $text-disabled; margin: 1 0 0 0; }
    }
    """

    class Changed(Message):
        """Something was typed or chosen."""

        def __init__(self, values: FormValues) -> None:
            super().__init__()
            self.values = values

    class SuiteChosen(Message):
        """A suite is to be selected in the grid; ``None`` for a selection by hand."""

        def __init__(self, suite: str | None) -> None:
            super().__init__()
            self.suite = suite

    class Finished(Message):
        """Enter in a field: back to the grid."""

    def compose(self) -> ComposeResult:
        yield Label("Suite", id="suite-label")
        yield Select[str]([], prompt="by hand", id="suite", compact=True)
        yield Label("Seeds")
        yield Input("42", id="seeds", compact=True, placeholder="42  or  1-5")
        yield Label("Lengths")
        yield Input("", id="lengths", compact=True, placeholder="50, 75, 100")
        yield Label("Profile")
        yield Select[str](
            [("reference", "reference")],
            value="reference",
            allow_blank=False,
            id="profile",
            compact=True,
        )
        yield Label("Settings that differ")
        yield TextArea("", id="settings", compact=True, placeholder="epochs=20\nlr=0.001")
        yield Static("", id="form-problem", markup=False)
        yield Static("", id="form-hint", markup=False)

    @property
    def values(self) -> FormValues:
        return FormValues(
            seeds=self.query_one("#seeds", Input).value,
            lengths=self.query_one("#lengths", Input).value,
            profile=str(self.query_one("#profile", Select).value),
            settings=self.query_one("#settings", TextArea).text,
        )

    def offer(self, suites: Sequence[tuple[str, str]], profiles: Sequence[str]) -> None:
        """Fill the two menus: (name, title) of suites, and names of profiles."""
        with self.prevent(Select.Changed):
            self.query_one("#suite", Select).set_options(
                [(plain(f"{name}: {title}"), name) for name, title in suites]
            )
            menu = self.query_one("#profile", Select)
            before = menu.value
            menu.set_options([(plain(name), name) for name in profiles])
            menu.value = before if before in profiles else profiles[0]

    def fill(
        self,
        *,
        seeds: str | None = None,
        lengths: str | None = None,
        profile: str | None = None,
        settings: str | None = None,
    ) -> None:
        """Put values in, as if typed but said in one `Changed`."""
        with self.prevent(Input.Changed, Select.Changed, TextArea.Changed):
            if seeds is not None:
                self.query_one("#seeds", Input).value = seeds
            if lengths is not None:
                self.query_one("#lengths", Input).value = lengths
            if profile is not None:
                self.query_one("#profile", Select).value = profile
            if settings is not None:
                self.query_one("#settings", TextArea).load_text(settings)
        self.post_message(self.Changed(self.values))

    def show_problem(self, sentence: str) -> None:
        """Say what is wrong; an empty sentence for nothing."""
        self.query_one("#form-problem", Static).update(plain(sentence))
        self.query_one("#form-problem", Static).display = bool(sentence)

    def show_hint(self, sentence: str) -> None:
        """Names of settings, say."""
        self.query_one("#form-hint", Static).update(plain(sentence))

    def focus_first(self) -> None:
        """Begin typing."""
        self.query_one("#seeds", Input).focus()

    @on(Input.Changed)
    @on(TextArea.Changed)
    @on(Select.Changed, "#profile")
    def _changed(self) -> None:
        self.post_message(self.Changed(self.values))

    @on(Select.Changed, "#suite")
    def _suite_changed(self, event: Select.Changed) -> None:
        blank = event.value is Select.NULL
        self.post_message(self.SuiteChosen(None if blank else str(event.value)))

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.post_message(self.Finished())
