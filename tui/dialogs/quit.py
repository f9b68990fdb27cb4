"""The dialog for leaving while runs are unfinished: what continues, and how to come back."""

from __future__ import annotations

import shlex
import shutil
import sys
from contextlib import suppress
from pathlib import Path

from textual.content import Content
from textual.widgets import Static

from engine.errors import UsageError
from engine.store.location import StoreLocation
from engine.surroundings import working_folder
from tui.dialogs.ask import AskScreen
from tui.lab import Lab
from tui.messages import Snapshot, StoreChanged
from tui.shell.states import glyph, style_variable
from tui.shell.text import count, short_path


def leave(app: Lab) -> None:
    """Leave the app; ask first if runs are unfinished, unless that is what is being asked."""
    if isinstance(app.screen, QuitScreen) or not app.snapshot.unfinished:
        app.exit()
        return

    def answered(yes: bool | None) -> None:
        if yes:
            app.exit()

    app.push_screen(QuitScreen(app.snapshot, way_back(app.location)), answered)


class QuitScreen(AskScreen):
    """Asks whether to leave; its result is the answer.

    Args:
        snapshot: the store's state, of which the unfinished runs are counted.
        command: opens the app again.
    """

    def __init__(self, snapshot: Snapshot, command: str) -> None:
        super().__init__("Leave seqbench", _text(snapshot, command), "Quit", "Stay")
        self._command = command

    def on_store_changed(self, event: StoreChanged) -> None:
        """Count again."""
        self.query_one(Static).update(_text(event.snapshot, self._command))


def way_back(location: StoreLocation) -> str:
    """Write the command that opens a store again."""
    with suppress(UsageError):
        if location.db == working_folder() / "runs.db":
            return f"{_program()}, in this folder"
    path = short_path(location.db, width=1000)
    home = "~/" if path.startswith("~/") else ""
    return f"{_program()} --db {home}{shlex.quote(path.removeprefix(home))}"


def _program() -> str:
    """Write how the app was called, where its name alone doesn't find it."""
    called = Path(sys.argv[0])
    if called.name != "seqbench" or shutil.which("seqbench"):
        return "seqbench"
    return shlex.quote(str(called))


def _text(snapshot: Snapshot, command: str) -> Content:
    running = snapshot.counts.get("running", 0)
    queued = snapshot.counts.get("queued", 0)
    lines = []
    if running:
        verb = "is" if running == 1 else "are"
        lines.append(_line("running", f"{count(running, 'run')} {verb} training"))
    if queued:
        verb = "waits" if queued == 1 else "wait"
        lines.append(_line("queued", f"{count(queued, 'run')} {verb} in the queue"))
    if lines:
        lines.append(Content("\nTraining continues in the background without this terminal."))
    else:
        lines.append(Content("No run is training or queued any more.\n"))
    return Content("\n").join(
        [
            *lines,
            Content.assemble(("Come back with ", "$text-muted"), (command, "bold $accent")),
        ]
    )


def _line(state: str, text: str) -> Content:
    return Content.assemble((f"{glyph(state)} ", style_variable(state)), text)
