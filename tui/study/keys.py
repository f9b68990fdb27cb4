"""Actions on a study's screen: their keys, labels and help."""

from __future__ import annotations

from functools import partial

from tui.shell.action import Action

_study = partial(Action, screens=("study",))
_shown = partial(_study, show=True)

STUDY = (
    _shown("dismiss", ("escape", "backspace"), "Back", "Return to where you came from",
           slug="close"),
    _study("move", ("up", "down", "left", "right"), "Move", "Move over trials and settings",
           key_label="↑↓←→", own_keys=True),
    _shown("open", ("enter",), "Open", "Open the trial under the cursor, or the final run"),
    _shown("order", ("s",), "Sort", "List trials by what they reached, or the newest first"),
    _shown("next_chart", ("g",), "Next chart", "Show the next chart large, or both again"),
    _shown("stop", ("x",), "Stop",
           "End the study, after asking: it makes no further trial, and trains what is best so "
           "far with fresh seeds"),
    _shown("studies", ("T",), "Studies", "List all studies, and show another one"),
)  # fmt: skip

ON_TRIALS = frozenset({"open", "order", "stop"})
"""Actions on what is read."""
