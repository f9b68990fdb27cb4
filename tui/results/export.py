"""The dialog that writes results to a file; it never overwrites one without asking."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from engine.errors import UsageError
from engine.progress import OnProgress
from engine.surroundings import working_folder
from tui.lab import Lab
from tui.shell.text import PARAGRAPH, plain, short_path
from tui.widgets.coming import Coming
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field
from tui.widgets.key_button import KeyButton

THERE = "File exists."
AGAIN = "File exists. Press Enter again to overwrite."


class Export(Protocol):
    """What can be written to a file."""

    @property
    def title(self) -> str:
        """What the dialog is called."""

    @property
    def usual(self) -> str:
        """The file's name that is proposed."""

    @property
    def endings(self) -> Sequence[str]:
        """What its name may end in; that chooses the format."""

    def summary(self) -> str:
        """What will be in it, in a few lines."""

    def switched(self) -> Export | None:
        """The same with all columns, or again with those shown; None where there is no choice."""

    def write(self, path: Path, on_progress: OnProgress) -> str:
        """Write it, in a thread; return words on what was written.

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
    BINDINGS = [  # noqa: RUF012
        Binding("escape", "dismiss", "Back"),
        Binding("tab", "switch", "All columns", priority=True),
    ]

    app: Lab

    def __init__(self, what: Export) -> None:
        super().__init__()
        self._what = what
        self._over: Path | None = None
        """An existing file that the user was asked about."""
        self._writing: Coming | None = None

    def compose(self) -> ComposeResult:
        keys = [KeyButton("⏎", "Write", "write", main=True)]
        if self._what.switched() is not None:
            keys.append(KeyButton("tab", "All columns", "switch"))
        with Dialog(self._what.title, *keys, KeyButton("esc", "Back", "dismiss")):
            yield Static(self._what.summary(), id="summary", markup=False)
            yield Field(self._what.usual, id="file", max_length=1000)
            yield Static("", id="where", classes="muted", markup=False)
            yield Static("", id="problem", markup=False)

    @property
    def _path(self) -> Path:
        return typed_path(self.query_one("#file", Field).value)

    def on_mount(self) -> None:
        self._changed()
        self.set_interval(1.0, self._tell_where)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Offer the choice of columns where there is one, until the file is written."""
        return action != "switch" or (self._what.switched() is not None and not self._writing)

    def action_switch(self) -> None:
        """Write all columns, or again those shown."""
        if (other := self._what.switched()) is not None:
            self._what = other
            self.query_one("#summary", Static).update(Content(other.summary()))

    @on(Field.Changed)
    def _changed(self) -> None:
        self._over = None
        if self._writing is None:
            path = self._path
            self._tell(self._refused(path) or (THERE if self._is_there(path) else ""))

    def _tell_where(self) -> None:
        where = short_path(_whole(self._path), 66)
        if self._writing is not None:
            where = f"Writing … {self._writing.words}"
        self.query_one("#where", Static).update(where)

    def _tell(self, problem: str) -> None:
        self._tell_where()
        line = self.query_one("#problem", Static)
        line.update(plain(problem, PARAGRAPH))
        line.display = bool(problem)

    def _refused(self, path: Path) -> str:
        """Why this can't be the file; empty if it can."""
        if not path.name.lower().endswith(tuple(self._what.endings)):
            return f"End its name in {', '.join(self._what.endings)}: that chooses the format."
        try:
            if path.is_dir():
                return "That is a folder: name a file in it."
            if not path.parent.is_dir():
                return f"There is no folder {short_path(path.parent)}."
            path.exists()
        except (OSError, ValueError) as error:
            return f"That can't be a file: {getattr(error, 'strerror', None) or error}."
        return ""

    def _is_there(self, path: Path) -> bool:
        """Whether a file would be overwritten without a warning."""
        return path.exists() and path != self._over

    @on(Field.Submitted)
    def action_write(self) -> None:
        """Write the file, or say why it can't be."""
        if self._writing is not None:
            return
        path = self._path
        problem = self._refused(path)
        if not problem and self._is_there(path):
            self._over, problem = path, AGAIN
        self._writing = None if problem else Coming()
        self._tell(problem)
        if self._writing is not None:
            self._write(path, self._writing)

    def _write(self, path: Path, coming: Coming) -> None:
        def write() -> str:
            return f"{self._what.write(path, coming.told)} in {short_path(_whole(path), 60)}"

        self.app.carry_out(write, self._written, self._failed)

    def _written(self, sentence: str) -> None:
        self.app.notify(sentence, title="Written")
        if self.is_active:
            self.dismiss()

    def _failed(self, sentence: str) -> None:
        self._writing = None
        if self.is_attached:
            self._tell(sentence)
        else:
            self.app.notify(sentence, severity="error")
