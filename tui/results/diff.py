"""Comparing two runs or cells: what differs in configuration, and by how much their values do."""

from __future__ import annotations

from functools import partial

from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.lab import Lab
from tui.results import diff_text
from tui.results.acting import copy
from tui.results.diff_text import RunOrCell
from tui.results.reading import Aggregate, Choice, Diff, read_diff, read_words
from tui.shell.reading import Reading
from tui.shell.text import PARAGRAPH, plain
from tui.widgets.dialog import Dialog
from tui.widgets.key_button import KeyButton


class DiffScreen(ModalScreen[None]):
    """Two runs or cells."""

    CSS_PATH = "diff.tcss"
    BINDINGS = [  # noqa: RUF012
        Binding("escape,equals_sign,q,enter", "dismiss", "Close"),
        Binding("x", "swap", "Swap"),
        Binding("y", "copy", "Copy"),
    ]
    AUTO_FOCUS = "Dialog"

    app: Lab

    def __init__(
        self, left: RunOrCell, right: RunOrCell, choice: Choice, aggregate: Aggregate
    ) -> None:
        super().__init__()
        self._sides = left, right
        self._choice = choice
        self._aggregate: Aggregate = aggregate
        self._diff: Diff | None = None
        self._words: tuple[str, ...] = ()
        self._diffs = Reading(self, self._take_diff, self._say)
        self._tests = Reading(self, self._take_words, self._say)

    def compose(self) -> ComposeResult:
        keys = (
            KeyButton("x", "Swap", "swap"),
            KeyButton("y", "Copy", "copy"),
            KeyButton("esc", "Close", "dismiss"),
        )
        with Dialog("Diff", *keys, scrolls=True):
            yield Static(id="diff", markup=False)

    def on_mount(self) -> None:
        self._read()

    def on_resize(self) -> None:
        self._show()

    def _read(self) -> None:
        sides, how = self._sides, (self._choice, self._aggregate)
        read = partial(read_diff, self.app.location, sides, *how, self.app.catalogue)
        self._diffs.ask(read, subject=sides)

    def _take_diff(self, diff: Diff) -> None:
        self._diff = diff
        self._show()
        read = partial(read_words, self.app.location, diff, self.app.catalogue)
        self._tests.ask(read, subject=(diff.left.runs, diff.right.runs))

    def _take_words(self, words: tuple[str, ...]) -> None:
        self._words = words
        self._show()

    def _say(self, sentence: str) -> None:
        self.query_one("#diff", Static).update(Content(plain(sentence, PARAGRAPH)))

    def _show(self) -> None:
        if self._diff is not None:
            panel = self.query_one("#diff", Static)
            width = panel.content_size.width or self.size.width - 6
            panel.update(diff_text.diff_content(self._diff, width, self._aggregate, self._words))

    def action_swap(self) -> None:
        """Swap the sides."""
        self._sides = self._sides[1], self._sides[0]
        self._words = ()
        self._read()

    def action_copy(self) -> None:
        """Put the diff on the clipboard, tabs between the columns."""
        if self._diff is not None:
            copy(self.app, diff_text.as_tabs(self._diff, self._words), "the diff")
