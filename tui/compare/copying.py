"""Copies from the comparison to the clipboard: a value, a row, a run's command."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from textual.screen import Screen

from engine.analysis.comparison import Column
from tui.compare.reading import read_command
from tui.compare.selection import Selection
from tui.lab import Lab
from tui.results.acting import copy
from tui.shell.reading import Reading
from tui.shell.text import plain


class Copying:
    """Copies what is under the cursor; ``fail`` shows why a run's command can't be read."""

    def __init__(
        self,
        app: Lab,
        screen: Screen[None],
        selection: Selection,
        fail: Callable[[str], object],
    ) -> None:
        self._app = app
        self._selection = selection
        self._commands = Reading(screen, self._command_read, fail)

    def value(self, columns: Sequence[Column], source: str) -> None:
        """Copy the value of a column, of a run with every digit."""
        if texts := self._selection.texts(columns):
            copy(self._app, texts[source])

    def row(self, columns: Sequence[Column]) -> None:
        """Copy the row, tabs between the columns."""
        if texts := self._selection.texts(columns):
            copy(self._app, "\t".join(texts.values()), "the row")

    def command(self, run: str) -> None:
        """Copy the command that launches a run again."""
        read = partial(read_command, self._app.location, run, self._app.catalogue)
        self._commands.ask(read, subject=run)

    def _command_read(self, command: str) -> None:
        copy(self._app, plain(command), "the relaunch command")
