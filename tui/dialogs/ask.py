"""A dialog that asks a question with yes or no as its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Static

if TYPE_CHECKING:
    from tui.lab import Lab


class AskScreen(ModalScreen[bool]):
    """Asks a yes-or-no question; its result is whether the answer is yes.

    Args:
        title: what the question is about, in a word or two.
        question: the question and what follows from a yes; plain text.
        yes: the label of the button for yes.
        no: the label of the other button.
    """

    CSS_PATH = "ask.tcss"
    BINDINGS = [  # noqa: RUF012
        Binding("enter,y", "yes", "Yes", key_display="⏎"),
        Binding("escape,n", "no", "No", key_display="esc"),
    ]
    AUTO_FOCUS = "#yes"

    app: Lab

    def __init__(self, title: str, question: str, yes: str, no: str = "Back") -> None:
        super().__init__()
        self._texts = title, question, yes, no

    def compose(self) -> ComposeResult:
        title, question, yes, no = self._texts
        with VerticalScroll(classes="dialog", can_focus=False) as dialog:
            dialog.border_title = title
            yield Static(question, markup=False)
            with Horizontal(classes="buttons"):
                yield Button(f"{self.app.key_written('⏎')}  {yes}", id="yes", compact=True)
                yield Button(f"esc  {no}", id="no", compact=True)

    @on(Button.Pressed, "#yes")
    def action_yes(self) -> None:
        self.dismiss(True)

    @on(Button.Pressed, "#no")
    def action_no(self) -> None:
        self.dismiss(False)
