"""The theme that the app begins with, and remembering the one that its user chose."""

from __future__ import annotations

import threading

from textual.filter import Monochrome, NoColor
from textual.theme import ThemeProvider

from tui.lab import Lab
from tui.shell.private import replace_filters
from tui.shell.remembered import keep, recall
from tui.shell.terminal.fewcolours import FewColours
from tui.shell.theme import ANSI, SEQBENCH, SEQBENCH_LIGHT

TOPIC = "appearance"


class Appearance:
    """An app's theme.

    Without colours (``NO_COLOR``), or with sixteen, the theme is the one that takes the terminal's
    own colours. Otherwise it is what the user's file names, else what they used last.
    """

    def __init__(self, app: Lab) -> None:
        self._app = app
        self._few = app.no_color or app.console.color_system in (None, "standard")
        self._filter = FewColours(colourless=app.no_color)
        # Textual's own filter for NO_COLOR leaves shades of grey.
        replace_filters(app, (Monochrome, NoColor), self._filter)
        self._chosen = ""

    def begin(self) -> None:
        """Set the theme to begin with."""
        self._chosen = self._first()
        self._app.theme = self._chosen
        self.changed()

    def _first(self) -> str:
        if self._few:
            return ANSI.name
        if (named := self._app.preferences.theme) is not None:
            return named
        remembered = recall(TOPIC).get("theme")
        known = isinstance(remembered, str) and remembered in self._app.available_themes
        return str(remembered) if known else SEQBENCH.name

    def toggle(self) -> None:
        """Change from dark to light, or back, unless colours are switched off."""
        if not self._app.no_color:
            dark = self._app.current_theme.dark
            self._app.theme = SEQBENCH_LIGHT.name if dark else SEQBENCH.name

    def choose(self) -> None:
        """Let the user choose among all themes, Textual's too."""
        if self._app.no_color:
            self._app.notify("NO_COLOR is set: there are no colours to choose.")
        else:
            from tui.parts.palette import Palette  # not before the first paint

            self._app.push_screen(Palette("Themes", [ThemeProvider]))

    def changed(self) -> None:
        """Adapt the filter to a new theme, and remember the theme."""
        name = self._app.theme
        self._filter.enabled = self._app.no_color or name == ANSI.name
        if name != self._chosen:
            self._chosen = name
            threading.Thread(target=keep, args=(TOPIC, {"theme": name}), daemon=True).start()
