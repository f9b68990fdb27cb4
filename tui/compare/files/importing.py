"""The dialog that imports runs: asks for a file or folder, says what is in it, then imports it."""

from __future__ import annotations

from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.lab import Lab
from tui.results.export import typed_path
from tui.shell.reading import Reading
from tui.shell.text import PARAGRAPH, plain
from tui.widgets.coming import Coming
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field
from tui.widgets.key_button import KeyButton

_HINT = "suite.tar.zst, a folder of event files, or a .csv"
_ABOUT = (
    "An archive of `seqbench export`, a folder of TensorBoard event files, or a CSV file with one "
    "row per epoch. Enter shows what is there; nothing is imported until you press it again."
)


class ImportScreen(ModalScreen[None]):
    """Asks for a path. Enter shows what is there; enter again imports it and closes."""

    BINDINGS = [Binding("escape", "dismiss", "Back")]  # noqa: RUF012
    DEFAULT_CSS = "ImportScreen #about { margin-top: 1; color: $text-muted; }"

    app: Lab

    def __init__(self) -> None:
        super().__init__()
        self._seen: Path | None = None
        """The path whose content is described on the screen; None before enter looked."""
        self._busy = False
        self._importing: Coming | None = None
        self._looking = Reading(self, self._take_found, self._failed)

    def compose(self) -> ComposeResult:
        self._enter = KeyButton("⏎", "Look", "look", main=True)
        with Dialog("Import", self._enter, KeyButton("esc", "Back", "dismiss")):
            yield Field(placeholder=_HINT, max_length=1000)
            yield Static(id="about", markup=False)

    def on_mount(self) -> None:
        self._offer(None)
        self.set_interval(1.0, self._tell)

    def _tell(self) -> None:
        if self._importing is not None:
            self._say(f"Importing … {self._importing.words}")

    def _offer(self, seen: Path | None) -> None:
        """Name on the button what enter does: inspect the path, or import what was shown."""
        self._seen = seen
        self._enter.say("Look" if seen is None else "Import")
        if seen is None:
            self._say(_ABOUT)

    def _say(self, text: str) -> None:
        lines = [Content(plain(line, PARAGRAPH)) for line in text.splitlines()]
        self.query_one("#about", Static).update(Content("\n").join(lines))

    @on(Field.Changed)
    def _changed(self) -> None:
        if not self._busy:
            self._offer(None)

    @on(Field.Submitted)
    def action_look(self) -> None:
        """Look at what was typed; import it if that is what was looked at."""
        text = self.query_one(Field).value
        if self._busy or not text.strip():
            return
        path, location = typed_path(text), self.app.location
        configuration = self.app.config_dir, self.app.model_paths
        self._busy = True
        if path == self._seen:
            self._importing = coming = Coming()
            self._tell()

            def take() -> str:
                from tui.compare.files.reading import take_in  # archives, tables: slow to load

                return take_in(path, location, configuration, coming.told)

            self.app.carry_out(take, self._taken_in, self._failed)
            return
        self._say("Looking …")

        def look() -> tuple[Path, str]:
            from tui.compare.files.reading import look_at  # archives, tables: slow to load

            return path, look_at(path, location, configuration)

        self._looking.ask(look)

    def _take_found(self, found: tuple[Path, str]) -> None:
        path, sentence = found
        self._busy = False
        self._offer(path)
        self._say(sentence)

    def _taken_in(self, sentence: str) -> None:
        self.app.notify(sentence, title="Imported", timeout=5)
        if self.is_active:
            self.dismiss()

    def _failed(self, sentence: str) -> None:
        self._busy, self._importing = False, None
        if self.is_attached:
            self._offer(None)
            self._say(sentence)
        else:
            self.app.notify(sentence, severity="error")
