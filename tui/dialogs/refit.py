"""The question before a run is trained again with validation included."""

from __future__ import annotations

from tui.dialogs.ask import AskScreen
from tui.lab import Lab
from tui.shell.text import count, plain

FOLLOWS = (
    "A new run trains on training and validation together{how}. Test stays what it is, and this run"
    " too."
)


def refit(app: Lab, run_id: str, best_epoch: int | None, *, fitted: bool) -> None:
    """Ask, and queue a run that trains another again with validation included.

    Args:
        best_epoch: the other run's chosen epoch.
        fitted: whether its model is fitted, with the settings that were chosen.
    """
    location, catalogue = app.location, app.catalogue
    how = f" for {count(best_epoch or 0, 'epoch')}, as many as its chosen one"
    if fitted:
        how = ", with the settings that it chose"

    def answered(yes: bool | None) -> None:
        if not yes:
            return

        def write() -> str:
            from engine.planning import enqueue_refits  # imported in the thread

            (run,) = enqueue_refits(location, catalogue, [run_id])
            return f"Queued {run}, which refits {run_id}"

        app.request(write)

    text = f"Refit this run?\n\n{plain(run_id)}\n{FOLLOWS.format(how=how)}"
    app.push_screen(AskScreen("Refit", text, "Queue the refit"), answered)
