"""Notes and tags of the comparison's runs, asked for in dialogs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import ModalScreen
from textual.widgets import Static

from engine.errors import UsageError
from engine.store.requests import change_tags, set_note
from engine.store.tags import check_tags
from tui.compare.reading import Written, read_written
from tui.lab import Lab
from tui.results.note import NoteScreen
from tui.shell.text import PARAGRAPH, count, plain
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field
from tui.widgets.key_button import KeyButton


class Annotating:
    """Asks for notes and tags in dialogs that begin with what is stored, and writes them."""

    def __init__(self, app: Lab) -> None:
        self._app = app

    def note(self, run: str) -> None:
        """Ask for a note about a run."""
        self._app.read_to_open(partial(read_written, self._app.location, [run]), self._ask_note)

    def tags(self, runs: Sequence[str]) -> None:
        """Ask for tags of some runs."""
        self._app.read_to_open(partial(read_written, self._app.location, runs), self._ask_tags)

    def _ask_note(self, written: list[Written]) -> None:
        def answered(note: str | None) -> None:
            if note is not None:
                self._app.request(partial(set_note, self._app.location, written[0].run, note))

        if written:
            self._app.push_screen(NoteScreen(written[0].note), answered)

    def _ask_tags(self, written: list[Written]) -> None:
        runs = [each.run for each in written]
        if not runs:
            return
        common = [tag for tag in written[0].tags if all(tag in each.tags for each in written)]

        def answered(new: tuple[str, ...] | None) -> None:
            if new is not None:
                gone = [tag for tag in common if tag not in new]
                self._app.request(partial(change_tags, self._app.location, runs, new, gone))

        self._app.push_screen(TagsScreen(common, len(runs)), answered)


class TagsScreen(ModalScreen["tuple[str, ...] | None"]):
    """Asks for tags in one line, separated by spaces or commas.

    Answers with the tags that all the runs shall have in common, or None if these don't change.

    Args:
        common: tags that all the runs have now.
        runs: number of runs.
    """

    BINDINGS = [Binding("escape", "dismiss", "Back")]  # noqa: RUF012
    DEFAULT_CSS = """
    TagsScreen #hint { color: $text-muted; margin-top: 1; }
    TagsScreen #hint.-wrong { color: $warning; }
    """
    _HINT = "Separate tags with spaces; the filter tag:paper finds the runs."

    app: Lab

    def __init__(self, common: Sequence[str], runs: int) -> None:
        super().__init__()
        self._common = tuple(common)
        self._runs = runs

    def compose(self) -> ComposeResult:
        many = self._runs > 1
        keys = KeyButton("⏎", "Save", "save", main=True), KeyButton("esc", "Back", "dismiss")
        with Dialog(f"Tags of {count(self._runs, 'run')}" if many else "Tags", *keys):
            text = plain(" ".join(self._common))
            yield Field(text, placeholder="paper ablation best", max_length=400)
            shared = " Only tags that all the runs share are listed." if many else ""
            yield Static(self._HINT + shared, id="hint", markup=False)

    @on(Field.Changed)
    def _check(self) -> tuple[str, ...] | None:
        """Return the tags as typed; or None, and say below what is wrong with them."""
        words = self.query_one(Field).value.replace(",", " ").replace("#", " ").split()
        hint = self.query_one("#hint", Static)
        try:
            tags = check_tags(words)
        except UsageError as error:
            hint.update(plain(str(error), PARAGRAPH))
            hint.add_class("-wrong")
            return None
        if hint.has_class("-wrong"):
            hint.update(self._HINT)
            hint.remove_class("-wrong")
        return tags

    @on(Field.Submitted)
    def action_save(self) -> None:
        """Answer with the tags, unless something is wrong with them."""
        tags = self._check()
        if tags is not None:
            self.dismiss(tags if tags != self._common else None)
