"""Runs taken in from a file or folder: asks for it, shows what is there, then takes it in."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tui.shell.text import PARAGRAPH, count, plain, short_path

if TYPE_CHECKING:
    from engine.interchange.source import Found
    from tui.lab import Lab

_HINT = "suite.tar.zst, a folder of event files, or a .csv"
_ABOUT = (
    "An archive of `seqbench export`, a folder of TensorBoard event files, or a CSV file with one "
    "row an epoch. Enter looks what is there; nothing is taken in before you have seen it."
)
_NAMED = 3
"""Runs that are named of what was found."""


class Looked(Message):
    """What lies there, or why it can't be imported."""

    def __init__(self, path: Path, found: Found | str) -> None:
        super().__init__()
        self.path = path
        self.found = found


class TakenIn(Message):
    """It is part of the store now, or why it isn't."""

    def __init__(self, sentence: str, *, done: bool) -> None:
        super().__init__()
        self.sentence = sentence
        self.done = done


class ImportScreen(ModalScreen[None]):
    """Asks for the path, and closes when all of it is taken in."""

    BINDINGS = [Binding("escape", "back", "Back")]  # noqa: RUF012
    DEFAULT_CSS = """
    ImportScreen .dialog { height: auto; }
    ImportScreen Static { margin: 1 1 0 1; color: $text-muted; }
    """

    app: Lab

    def __init__(self) -> None:
        super().__init__()
        self._seen: Path | None = None
        """What it holds is on the screen."""
        self._busy = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Import"
            yield Input(placeholder=_HINT, max_length=1000)
            yield Static(id="about", markup=False)

    def on_mount(self) -> None:
        self._offer(None)

    def _offer(self, seen: Path | None) -> None:
        """Say what enter does: look, or take in what was seen."""
        self._seen = seen
        dialog = self.query_one(".dialog")
        dialog.border_subtitle = f"⏎ {'look' if seen is None else 'take it in'}   esc back"
        if seen is None:
            self._say(_ABOUT)

    def _say(self, text: str) -> None:
        lines = [Content(plain(line, PARAGRAPH)) for line in text.splitlines()]
        self.query_one("#about", Static).update(Content("\n").join(lines))

    @on(Input.Changed)
    def _changed(self) -> None:
        if not self._busy:
            self._offer(None)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        if self._busy or not event.value.strip():
            return
        path = Path(os.path.expanduser(event.value.strip()))  # noqa: PTH111 - never raises
        self._busy = True
        if path == self._seen:
            self._say("Taking it in …")
            self._take(path)
        else:
            self._say("Looking …")
            self._look(path)

    @work(thread=True, exit_on_error=False)
    def _look(self, path: Path) -> None:
        from engine.errors import UserError
        from engine.interchange.source import look

        found: Found | str
        try:
            found = look(path, self.app.location, self.app.config_dir)
        except UserError as error:
            found = str(error)
        except (OSError, ValueError) as error:  # a path that no file can have
            found = f"{path} can't be read: {getattr(error, 'strerror', None) or error}."
        self.post_message(Looked(path, found))

    @on(Looked)
    def _looked(self, event: Looked) -> None:
        self._busy = False
        if isinstance(event.found, str):
            self._say(event.found)
        else:
            self._offer(event.path)
            self._say(found_text(event.found))

    @work(thread=True, exit_on_error=False)
    def _take(self, path: Path) -> None:
        from engine.errors import UserError
        from engine.interchange.source import take

        try:
            imported, _ = take(path, self.app.location, self.app.config_dir)
        except (UserError, sqlite3.Error, OSError) as error:
            self.post_message(TakenIn(str(error), done=False))
            return
        there = f", {len(imported.present):,} were here already" if imported.present else ""
        other = f", {len(imported.renamed):,} under another id" if imported.renamed else ""
        sentence = f"{count(len(imported.added), 'run')} from {short_path(path, 40)}{there}{other}"
        self.post_message(TakenIn(sentence, done=True))

    @on(TakenIn)
    def _taken_in(self, event: TakenIn) -> None:
        self._busy = False
        if event.done:
            self.notify(event.sentence, title="Imported", timeout=5, markup=False)
            self.dismiss()
        else:
            self._offer(None)
            self._say(event.sentence)

    def action_back(self) -> None:
        """Nothing is taken in that isn't begun."""
        self.dismiss()


def found_text(found: Found) -> str:
    """What was found, in a few lines."""
    size = f", {found.bytes / 2**20:,.1f} MiB" if found.is_archive else ""
    what = "An archive" if found.is_archive else "History of another program"
    names = ", ".join(found.runs[:_NAMED])
    more = f" and {len(found.runs) - _NAMED:,} more" if len(found.runs) > _NAMED else ""
    lines = [f"{what} with {count(len(found.runs), 'run')}{size}: {names}{more}."]
    if found.there:
        lines.append(
            f"Ids that are here already: {found.there:,}. The same run stays as it is; another one "
            "gets a longer id."
        )
    if not found.is_archive:
        lines.append("Its runs are marked, and left out of means and tests.")
    if found.passed_over:
        rest = len(found.passed_over) - 1
        lines.append(found.passed_over[0] + (f" {rest:,} more parts give no run." if rest else ""))
    return "\n".join([*lines, "Enter again takes it in."])
