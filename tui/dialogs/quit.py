"""The dialog for leaving while runs are unfinished: what goes on, and how to come back."""

from __future__ import annotations

import shlex
from contextlib import suppress
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from engine.errors import UsageError
from engine.surroundings import working_folder
from tui.messages import Snapshot
from tui.shell.states import glyph, style_variable
from tui.shell.text import count, short_path
from tui.widgets.key_button import KeyButton

if TYPE_CHECKING:
    from engine.store.location import StoreLocation


class QuitScreen(ModalScreen[bool]):
    """Asks whether to leave; its result is the answer. ``command`` opens the app again."""

    CSS_PATH = "buttons.tcss"
    BINDINGS = [  # noqa: RUF012
        Binding("enter,y,q", "leave", "Quit", key_display="⏎"),
        Binding("escape,n", "stay", "Stay", key_display="esc"),
    ]
    AUTO_FOCUS = "VerticalScroll"

    def __init__(self, snapshot: Snapshot, command: str) -> None:
        super().__init__()
        self._snapshot = snapshot
        self._command = command

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog") as dialog:
            dialog.border_title = "Leave seqbench"
            yield Static(self._text(), markup=False)
            with Horizontal(classes="buttons"):
                yield KeyButton("⏎", "Quit", id="leave", main=True)
                yield KeyButton("esc", "Stay", id="stay")

    def _text(self) -> Content:
        running = self._snapshot.counts.get("running", 0)
        queued = self._snapshot.counts.get("queued", 0)
        lines = []
        if running:
            verb = "is" if running == 1 else "are"
            lines.append(_line("running", f"{count(running, 'run')} {verb} training"))
        if queued:
            verb = "waits" if queued == 1 else "wait"
            lines.append(_line("queued", f"{count(queued, 'run')} {verb} in the queue"))
        return Content("\n").join(
            [
                *lines,
                Content(""),
                Content("Training goes on in the background without this terminal."),
                Content.assemble(
                    ("Come back with ", "$text-muted"), (self._command, "bold $accent")
                ),
            ]
        )

    @on(KeyButton.Pressed, "#leave")
    def action_leave(self) -> None:
        self.dismiss(True)

    @on(KeyButton.Pressed, "#stay")
    def action_stay(self) -> None:
        self.dismiss(False)


def way_back(location: StoreLocation) -> str:
    """Write the command that opens a store again."""
    with suppress(UsageError):
        if location.db == working_folder() / "runs.db":
            return "seqbench, in this folder"
    path = short_path(location.db, width=1000)
    home = "~/" if path.startswith("~/") else ""
    return f"seqbench --db {home}{shlex.quote(path.removeprefix(home))}"


def _line(state: str, text: str) -> Content:
    return Content.assemble((f"{glyph(state)} ", style_variable(state)), text)
