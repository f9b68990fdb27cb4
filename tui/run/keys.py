"""Actions on a run's screen: their keys, labels and help."""

from __future__ import annotations

from functools import partial

from tui.shell.action import Action

_shown = partial(Action, screens=("run",), show=True)

RUN = (
    _shown("dismiss", ("escape", "backspace"), "Back", "Return to where you came from",
           slug="close"),
    _shown("retry", ("t",), "Retry",
           "Queue the run again; it resumes from its last checkpoint, if it has one"),
    _shown("amend", ("T",), "Try fix", "Try the proposed fix, as a new run"),
    _shown("train_on", ("m",), "More epochs",
           "Train it past its epoch limit, as a new run"),
    _shown("refit", ("M",), "Refit",
           "Train it again with validation included, to its chosen epoch, as a new run"),
    _shown("cancel", ("x",), "Cancel", "Cancel the run, after asking"),
    _shown("delete", ("d",), "Delete", "Delete the run, after asking; u brings it back"),
    _shown("predict", ("p",), "Predict", "Show what it recommends to individual users, by title"),
    _shown("next_chart", ("g",), "Next chart", "Show the next chart large, then all again"),
    _shown("note", ("n",), "Note", "Write a note about the run"),
    _shown("copy", ("y",), "Copy", "Copy the command that launches the run again"),
)  # fmt: skip

ON_THE_RUN = frozenset({
    "retry", "amend", "train_on", "refit", "cancel", "delete", "predict", "note", "copy",
})  # fmt: skip
"""Actions on what the page shows."""
