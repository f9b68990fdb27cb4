"""A dialog that asks a question with yes or no as its answer."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.widgets.dialog import Dialog
from tui.widgets.key_button import KeyButton


class AskScreen(ModalScreen[bool]):
    """Asks a yes-or-no question; its result is whether the answer is yes.

    Args:
        title: what the question is about, in a word or two.
        question: the question and what follows from a yes; plain text.
        yes: the label of the button for yes.
        no: the label of the other button.
    """

    # Wide enough for the longest sentence beside a scrollbar: one that makes the text wrap, and so
    # longer, would stay when there is room again.
    CSS = ".dialog { width: 66; }"
    BINDINGS = [  # noqa: RUF012
        Binding("enter,y", "yes", "Yes"),
        Binding("escape,n", "no", "No"),
    ]
    AUTO_FOCUS = "Dialog"

    def __init__(self, title: str, question: str | Content, yes: str, no: str = "Back") -> None:
        super().__init__()
        self._texts = title, question, yes, no

    def compose(self) -> ComposeResult:
        title, question, yes, no = self._texts
        keys = KeyButton("⏎", yes, "yes", main=True), KeyButton("esc", no, "no")
        with Dialog(title, *keys, scrolls=True):
            yield Static(question, markup=False)

    def action_yes(self) -> None:
        """Answer with yes."""
        self.dismiss(True)

    def action_no(self) -> None:
        """Answer with no."""
        self.dismiss(False)
