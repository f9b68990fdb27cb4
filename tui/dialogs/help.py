"""The help dialog: what is under the cursor, the keys of the screen below it and of the app, and
the meaning of states and metrics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Group
from rich.style import Style
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import ModalScreen
from textual.widgets import Static

from engine.analysis.columns.meanings import glossary
from tui.lab import Lab
from tui.shell.action import actions_for
from tui.shell.states import NEVER, STATE_MEANING, STATES, glyph, rich_style, style_variable
from tui.shell.text import TITLE, plain
from tui.widgets.dialog import Dialog
from tui.widgets.key_button import KeyButton

KEY_CELLS = 13
MEASURED = ("live", "compare", "pivot", "run", "replay", "chart")
"""Areas that show metrics."""

Topic = tuple[str, str]
"""A word and what it means."""

Section = tuple[str, "str | Sequence[Topic]"]
"""A title, and the area whose keys are listed below it or the topics that are."""

Entry = tuple[Text, Text]
"""A word or a key, and what it means or does."""


class HelpScreen(ModalScreen[None]):
    """Explains a screen, from the registry of actions.

    Args:
        area: the area of the screen below the dialog.
        topics: come first, such as what is under the screen's cursor.
        sections: follow the screen's keys.
    """

    CSS_PATH = "help.tcss"
    BINDINGS = [  # noqa: RUF012
        Binding("escape,enter,question_mark,f1,q", "dismiss", "Close"),
    ]
    AUTO_FOCUS = "Dialog"

    app: Lab

    def __init__(
        self, area: str, topics: Iterable[Topic] = (), sections: Iterable[Section] = ()
    ) -> None:
        super().__init__()
        self._area = area
        self._topics = tuple(topics)
        self._more = tuple(sections)

    def compose(self) -> ComposeResult:
        close = KeyButton("esc", "Close", "dismiss")
        with Dialog(f"Help · {self._area.capitalize()}", close, scrolls=True):
            for title, text in self._topics:
                yield Static(self._topic(title, text), classes="topic", markup=False)
            for title, entries in self._sections():
                yield Static(self._section(title, entries), classes="section", markup=False)

    def _topic(self, title: str, text: str) -> Text:
        name = Text(plain(title, TITLE), self._style("accent") + Style(bold=True))
        return Text.assemble(name, "  ", plain(text))

    def _section(self, title: str, entries: Iterable[Entry]) -> Group:
        # Each section is its own table: long words in one don't narrow the others.
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(min_width=KEY_CELLS, no_wrap=True)
        table.add_column()
        for entry in entries:
            table.add_row(*entry)
        return Group(Text(title, self._style("primary") + Style(bold=True)), table)

    def _sections(self) -> Iterator[tuple[str, Iterable[Entry]]]:
        yield "Keys", self._keys(self._area)
        key = self._style("accent")
        for title, about in self._more:
            if isinstance(about, str):
                yield title, self._keys(about)
            else:
                yield title, ((Text(word, key), Text(meaning)) for word, meaning in about)
        palette = Text("^p", key), Text("Every command, by name")
        yield "Everywhere", [*self._keys("app"), palette]
        yield "States of a run", map(self._state, (NEVER, *STATES))
        if self._area in MEASURED:
            yield "Metrics", ((Text(title, key), Text(text)) for title, text in glossary())

    def _keys(self, area: str) -> Iterable[Entry]:
        key = self._style("accent")
        actions = actions_for(area, self.app.actions())
        return ((Text(self.app.key_of(a, every=True), key), Text(a.help)) for a in actions)

    def _state(self, state: str) -> Entry:
        name = Text(f"{glyph(state)} {state}", rich_style(self.app, style_variable(state)))
        return name, Text(STATE_MEANING[state], self._style("text-muted"))

    def _style(self, variable: str) -> Style:
        return rich_style(self.app, variable)
