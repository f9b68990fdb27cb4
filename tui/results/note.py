"""The dialog in which a note about a run is written."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import ModalScreen

from tui.shell.text import plain
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field
from tui.widgets.key_button import KeyButton


class NoteScreen(ModalScreen["str | None"]):
    """Asks for a note in one line. Answers with it; with None if escape leaves the note as it was.

    Args:
        note: the note that the run has now.
    """

    BINDINGS = [Binding("escape", "dismiss", "Back")]  # noqa: RUF012

    def __init__(self, note: str) -> None:
        super().__init__()
        self._note = note

    def compose(self) -> ComposeResult:
        keys = KeyButton("⏎", "Save", "save", main=True), KeyButton("esc", "Back", "dismiss")
        with Dialog("Note", *keys):
            yield Field(
                plain(self._note), placeholder="why you ran it, what you saw", max_length=500
            )

    @on(Field.Submitted)
    def action_save(self) -> None:
        """Answer with the note."""
        self.dismiss(self.query_one(Field).value.strip())
