"""The report on what the comparison shows: asks for a file, and writes it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
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

from engine.errors import UserError
from engine.store.compare.grouping import Choice
from tui.shell.text import PARAGRAPH, plain, short_path

if TYPE_CHECKING:
    from tui.lab import Lab

DEFAULT_NAME = "report.html"


class ReportWritten(Message):
    """It lies there, or why it doesn't."""

    def __init__(self, sentence: str, *, done: bool) -> None:
        super().__init__()
        self.sentence = sentence
        self.done = done


class ReportScreen(ModalScreen[None]):
    """Asks where to, and closes when it is written."""

    BINDINGS = [Binding("escape", "back", "Back")]  # noqa: RUF012
    DEFAULT_CSS = """
    ReportScreen .dialog { height: auto; }
    ReportScreen Static { margin: 1 1 0 1; color: $text-muted; }
    """

    app: Lab

    def __init__(self, choice: Choice) -> None:
        super().__init__()
        self._choice = choice
        self._asked: Path | None = None
        """A file that is there, once its writer knows."""
        self._busy = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Report"
            dialog.border_subtitle = "⏎ write   esc back"
            yield Input(DEFAULT_NAME, placeholder="report.html or report.md", max_length=500)
            yield Static(id="about", markup=False)

    def on_mount(self) -> None:
        where = self._choice.filter.strip()
        shown = f"the runs that meet {plain(where, 60)}" if where else "all runs"
        self._say(f"On {shown}. HTML is one file; Markdown has its plots beside it.")

    def _say(self, sentence: str) -> None:
        self.query_one("#about", Static).update(Content(plain(sentence, PARAGRAPH)))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        if self._busy or not event.value.strip():
            return
        path = Path(os.path.expanduser(event.value.strip()))  # noqa: PTH111 - never raises
        try:
            problem = self._problem(path)
        except (UserError, OSError, ValueError) as error:
            problem = str(getattr(error, "strerror", None) or error)
        if problem:
            self._say(problem)
        else:
            self._busy = True
            self._say("Writing …")
            self._write(path)

    def _problem(self, path: Path) -> str:
        """Why this can't be the file, or what is to be known before; empty if nothing is."""
        from engine.report.formats import format_of

        format_of(path)
        if path.is_dir():
            return f"{short_path(path)} is a folder: name a file in it."
        if not path.parent.is_dir():
            return f"There is no folder {short_path(path.parent)}."
        if path.exists() and path != self._asked:
            self._asked = path
            return f"{short_path(path)} is there: enter again writes over it."
        return ""

    @on(Input.Changed)
    def _changed(self) -> None:
        self._asked = None

    @work(thread=True, exit_on_error=False)
    def _write(self, path: Path) -> None:
        from engine.report.gather import Wanted
        from engine.report.write import make_report, write_report

        try:
            with closing(self.app.reader()) as con:
                wanted = Wanted(where=self._choice.filter, without=self._choice.without)
                report = make_report(con, self.app.location, self.app.catalogue, wanted)
            written = write_report(report, path)
        except (UserError, sqlite3.Error) as error:
            self.post_message(ReportWritten(str(error), done=False))
            return
        self.post_message(ReportWritten(f"Written to {short_path(written.path, 60)}", done=True))

    @on(ReportWritten)
    def _written(self, event: ReportWritten) -> None:
        self._busy = False
        if event.done:
            self.notify(event.sentence, timeout=5)
            self.dismiss()
        else:
            self._say(event.sentence)

    def action_back(self) -> None:
        """Nothing is written that isn't begun."""
        self.dismiss()
