"""The dialog in which a note about a run is written."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen

from tui.lab import Lab
from tui.shell.text import plain
from tui.widgets.field import Field


class NoteScreen(ModalScreen["str | None"]):
    """Asks for a note in one line. Answers with it; with None if escape leaves the note as it was.

    Args:
        note: the note that the run has now.
    """

    BINDINGS = [Binding("escape", "dismiss", "Back")]  # noqa: RUF012
    app: Lab

    def __init__(self, note: str) -> None:
        super().__init__()
        self._note = note

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Note"
            dialog.border_subtitle = self.app.key_written("⏎ keep   esc back")
            yield Field(
                plain(self._note), placeholder="why you ran it, what you saw", max_length=500
            )

    @on(Field.Submitted)
    def _submitted(self, event: Field.Submitted) -> None:
        self.dismiss(event.value.strip())
