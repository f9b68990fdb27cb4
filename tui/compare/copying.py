"""What of the comparison is put on the clipboard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from engine.analysis.columns.definitions import Column
from tui.compare.page import CompareRow
from tui.compare.reading import read_command
from tui.compare.selection import Selection
from tui.lab import Lab
from tui.results.acting import copy
from tui.shell.reading import Reading
from tui.shell.text import plain
from tui.widgets.table import PagedTable


class Copying:
    """Copies what is under the cursor of a table.

    Args:
        fail: tells why a run's command can't be read.
    """

    def __init__(
        self, app: Lab, table: PagedTable, selection: Selection, fail: Callable[[str], object]
    ) -> None:
        self._app, self._table, self._selection = app, table, selection
        self._commands = Reading(table, self._copy_command, fail)

    def value(self, columns: Sequence[Column]) -> None:
        """Copy the value under the cursor in full precision."""
        column, texts = self._table.cursor_column, self._selection.texts(columns)
        if column is not None and texts:
            copy(self._app, texts[column.key])

    def row(self, columns: Sequence[Column]) -> None:
        """Copy the row under the cursor, separated by tabs."""
        if texts := self._selection.texts(columns):
            copy(self._app, "\t".join(texts.values()), "the row")

    def command(self, run: CompareRow) -> None:
        """Copy the command that reruns a run."""
        read = partial(read_command, self._app.location, run.key, self._app.catalogue)
        self._commands.ask(read, subject=run.key)

    def _copy_command(self, command: str) -> None:
        copy(self._app, plain(command), "the relaunch command")
