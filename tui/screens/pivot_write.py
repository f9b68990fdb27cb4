"""One line to type: the file that the pivot is written to, its ending the format."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from engine.analysis.pivot_text import ENDINGS
from tui.text import PARAGRAPH, plain, short_path

if TYPE_CHECKING:
    from tui.app import SeqbenchApp


class WriteScreen(ModalScreen["Path | None"]):
    """Answers with the file, or None. One that is there is written over at the second enter."""

    BINDINGS = [Binding("escape", "back", "Back")]  # noqa: RUF012
    DEFAULT_CSS = """
    WriteScreen .dialog { height: auto; }
    WriteScreen Static { height: auto; color: $text-muted; margin-top: 1; }
    WriteScreen .-wrong { color: $warning; }
    """
    _HINT = f"The ending is the format: {' '.join(ENDINGS)}"

    app: SeqbenchApp

    def __init__(self, name: str = "pivot.xlsx") -> None:
        super().__init__()
        self._name = name
        self._asked: Path | None = None

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Write the pivot"
            dialog.border_subtitle = "⏎ write   esc back"
            yield Input(self._name, max_length=1_000)
            yield Static(self._HINT, markup=False)

    @on(Input.Changed)
    def _changed(self) -> None:
        self._asked = None
        self._say("")

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        path = Path(os.path.expanduser(event.value.strip()))  # noqa: PTH111 - never raises
        try:
            problem = self._problem(path)
        except (OSError, ValueError) as error:
            problem = f"That can't be a file: {getattr(error, 'strerror', None) or error}."
        if problem:
            self._say(problem)
        else:
            self.dismiss(path)

    def _problem(self, path: Path) -> str:
        if path.suffix.lower() not in ENDINGS:
            return f"End the name with one of {' '.join(ENDINGS)}."
        if path.is_dir():
            return f"{short_path(path)} is a folder: name a file in it."
        if not path.parent.is_dir():
            return f"There is no folder {short_path(path.parent)}."
        if path.exists() and path != self._asked:
            self._asked = path
            return f"{short_path(path)} is there: enter again writes over it."
        return ""

    def _say(self, problem: str) -> None:
        hint = self.query_one(Static)
        hint.update(plain(problem or self._HINT, PARAGRAPH))
        hint.set_class(bool(problem), "-wrong")

    def action_back(self) -> None:
        """Write nothing."""
        self.dismiss(None)
