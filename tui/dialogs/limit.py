"""The dialog that asks for a higher epoch limit, and trains a run further with it."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.lab import Lab
from tui.shell.text import count
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field
from tui.widgets.key_button import KeyButton


class LimitScreen(ModalScreen["int | None"]):
    """Asks for a run's new epoch limit. Answers with it; with None if escape was pressed.

    Args:
        had: the limit that the run has now.
        proposed: the one to begin with.
    """

    BINDINGS = [Binding("escape", "dismiss", "Back")]  # noqa: RUF012
    app: Lab

    def __init__(self, had: int, proposed: int) -> None:
        super().__init__()
        self._had, self._proposed = had, proposed

    def compose(self) -> ComposeResult:
        keys = KeyButton("⏎", "Train", "train", main=True), KeyButton("esc", "Back", "dismiss")
        with Dialog("More epochs", *keys):
            yield Static(
                f"It had {count(self._had, 'epoch')}. A new run resumes from its checkpoint"
                " and trains up to epoch",
                markup=False,
            )
            yield Field(str(self._proposed), type="integer", max_length=6)

    @on(Field.Submitted)
    def action_train(self) -> None:
        """Answer with the limit, unless the run had as many epochs already."""
        epochs = int(self.query_one(Field).value or 0)
        if epochs <= self._had:
            self.notify(f"Enter more than {self._had:,}.", severity="error")
        else:
            self.dismiss(epochs)


def train_on(app: Lab, run_id: str, had: int, proposed: int) -> None:
    """Ask for a higher limit, and queue a run that resumes from another with it."""
    location, catalogue = app.location, app.catalogue

    def answered(epochs: int | None) -> None:
        if epochs is None:
            return

        def write() -> str:
            from engine.planning import enqueue_further  # imported in the thread

            (run,) = enqueue_further(location, catalogue, [run_id], epochs)
            return f"Queued {run}, up to epoch {epochs:,}"

        app.request(write)

    app.push_screen(LimitScreen(had, proposed), answered)
