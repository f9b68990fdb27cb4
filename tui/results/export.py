"""Writing results to a file: asks for its name, never writes over one unasked."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import ModalScreen
from textual.widgets import Static

from engine.errors import UsageError
from engine.surroundings import working_folder
from tui.lab import Lab
from tui.shell.text import PARAGRAPH, plain, short_path
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field
from tui.widgets.key_button import KeyButton


class Export(Protocol):
    """What can be written to a file."""

    @property
    def title(self) -> str:
        """What the dialog is called."""

    @property
    def usual(self) -> str:
        """A file's name to begin with."""

    @property
    def endings(self) -> Sequence[str]:
        """What its name may end in; that chooses the format."""

    def summary(self) -> str:
        """What will be in it, in a few lines."""

    def write(self, path: Path) -> str:
        """Write it, in a thread; in words, what was written.

        Raises:
            UserError, sqlite3.Error: the store can't be read, or the file can't be written.
        """


def typed_path(text: str) -> Path:
    """Return the path that someone typed, ``~`` standing for the home folder."""
    return Path(os.path.expanduser(text.strip()))  # noqa: PTH111 - never raises


def _whole(path: Path) -> Path:
    with suppress(UsageError):
        return working_folder() / path
    return path


class ExportScreen(ModalScreen[None]):
    """Asks for the file, writes it, and closes when it is written."""

    DEFAULT_CSS = """
    ExportScreen {
        Input { margin: 1 0 0 0; }
        #problem { color: $error; }
    }
    """
    BINDINGS = [Binding("escape", "dismiss", "Back")]  # noqa: RUF012

    app: Lab

    def __init__(self, what: Export) -> None:
        super().__init__()
        self._what = what
        self._over: Path | None = None
        """A file that is there, once its writer knows."""
        self._busy = False

    def compose(self) -> ComposeResult:
        keys = KeyButton("⏎", "Write", "write", main=True), KeyButton("esc", "Back", "dismiss")
        with Dialog(self._what.title, *keys):
            yield Static(self._what.summary(), markup=False)
            yield Field(self._what.usual, id="file", max_length=1000)
            yield Static("", id="where", classes="muted", markup=False)
            yield Static("", id="problem", markup=False)

    @property
    def _path(self) -> Path:
        return typed_path(self.query_one("#file", Field).value)

    @on(Field.Changed)
    def _changed(self) -> None:
        self._over = None
        self._tell("")

    def _tell(self, problem: str) -> None:
        where = "Writing …" if self._busy else short_path(_whole(self._path), 66)
        self.query_one("#where", Static).update(where)
        line = self.query_one("#problem", Static)
        line.update(plain(problem, PARAGRAPH))
        line.display = bool(problem)

    def _refused(self, path: Path) -> str:
        """Why this can't be the file, or what is to be known before; empty if nothing is."""
        if not path.name.lower().endswith(tuple(self._what.endings)):
            return f"End its name in {', '.join(self._what.endings)}: that chooses the format."
        try:
            if path.is_dir():
                return "That is a folder: name a file in it."
            if not path.parent.is_dir():
                return f"There is no folder {short_path(path.parent)}."
            there = path.exists()
        except (OSError, ValueError) as error:
            return f"That can't be a file: {getattr(error, 'strerror', None) or error}."
        if there and path != self._over:
            self._over = path
            return "File exists. Press Enter again to overwrite."
        return ""

    @on(Field.Submitted)
    def action_write(self) -> None:
        """Write the file, or say why it can't be."""
        if self._busy:
            return
        path = self._path
        problem = self._refused(path)
        self._busy = not problem
        self._tell(problem)
        if self._busy:
            self._write(path)

    def _write(self, path: Path) -> None:
        def write() -> str:
            return f"{self._what.write(path)} in {short_path(_whole(path), 60)}"

        self.app.carry_out(write, self._written, self._failed)

    def _written(self, sentence: str) -> None:
        self.app.notify(sentence, title="Written")
        if self.is_current:
            self.dismiss()

    def _failed(self, sentence: str) -> None:
        self._busy = False
        if self.is_attached:
            self._tell(sentence)
        else:
            self.app.notify(sentence, severity="error")
