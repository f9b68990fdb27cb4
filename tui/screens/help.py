"""Help: the keys of the screen beneath, those of the app, and what the glyphs mean."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.style import Style
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.actions import actions_for
from tui.actions.action import Action
from tui.screens.compare_help import FILTER_HELP
from tui.states import NEVER, STATE_MEANING, STATES, glyph, rich_style, style_variable

if TYPE_CHECKING:
    from tui.app import SeqbenchApp

KEY_CELLS = 13


class HelpScreen(ModalScreen[None]):
    """Made from the registry of actions. ``area`` is that of the screen beneath."""

    CSS_PATH = "help.tcss"
    BINDINGS = [  # noqa: RUF012
        Binding("escape,enter,question_mark,f1,q", "dismiss", "Close", key_display="esc"),
    ]
    AUTO_FOCUS = "VerticalScroll"

    app: SeqbenchApp

    def __init__(self, area: str) -> None:
        super().__init__()
        self._area = area

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog") as dialog:
            dialog.border_title = "Help"
            dialog.border_subtitle = "↑↓ scroll · esc close"
            yield Static(self._text(), markup=False)

    def _text(self) -> Table:
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(min_width=KEY_CELLS, no_wrap=True)
        table.add_column()
        heading, key, quiet = (self._style(name) for name in ("primary", "accent", "text-muted"))

        def section(title: str, lines: Iterable[tuple[Text, Text]]) -> None:
            if table.row_count:
                table.add_row()
            table.add_row(Text(title, heading + Style(bold=True)))
            for line in lines:
                table.add_row(*line)

        def keys(actions: Iterable[Action]) -> Iterable[tuple[Text, Text]]:
            return ((Text(self.app.key_of(a, every=True), key), Text(a.help)) for a in actions)

        section(self._area.capitalize(), keys(actions_for(self._area)))
        if self._area == "compare":
            section("The filter", ((Text(word, key), Text(about)) for word, about in FILTER_HELP))
            section("The scatter plot", keys(actions_for("scatter")))
        palette = (Text("^p", key), Text("Every command, by name"))
        section("Everywhere", [*keys(actions_for("app")), palette])
        section(
            "States of a run",
            (
                (
                    Text(f"{glyph(state)} {state}", rich_style(self.app, style_variable(state))),
                    Text(STATE_MEANING[state], quiet),
                )
                for state in (NEVER, *STATES)
            ),
        )
        return table

    def _style(self, variable: str) -> Style:
        return rich_style(self.app, variable)
