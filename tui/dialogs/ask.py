"""A question with yes or no as its answer."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Static


class AskScreen(ModalScreen[bool]):
    """Answers whether to go on.

    Args:
        title: What this is about, in a word or two.
        question: The question and what follows from a yes; plain text.
        yes: What the button for yes says.
        no: What the other one says.
    """

    CSS_PATH = "ask.tcss"
    BINDINGS = [  # noqa: RUF012
        Binding("enter,y", "yes", "Yes", key_display="⏎"),
        Binding("escape,n", "no", "No", key_display="esc"),
    ]
    AUTO_FOCUS = "#yes"

    def __init__(self, title: str, question: str, yes: str, no: str = "Back") -> None:
        super().__init__()
        self._texts = title, question, yes, no

    def compose(self) -> ComposeResult:
        title, question, yes, no = self._texts
        with VerticalScroll(classes="dialog", can_focus=False) as dialog:
            dialog.border_title = title
            yield Static(question, markup=False)
            with Horizontal(classes="buttons"):
                yield Button(f"⏎  {yes}", id="yes", compact=True)
                yield Button(f"esc  {no}", id="no", compact=True)

    @on(Button.Pressed, "#yes")
    def action_yes(self) -> None:
        self.dismiss(True)

    @on(Button.Pressed, "#no")
    def action_no(self) -> None:
        self.dismiss(False)
