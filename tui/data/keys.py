"""Actions on the screen of data sets."""

from __future__ import annotations

from tui.shell.action import Action

JUDGE = Action(
    "judge",
    ("j",),
    "Judge",
    "Find out whether the data set can tell models apart",
    ("data",),
    True,
)
DATA = (
    Action(
        "move",
        ("up", "down", "home", "end"),
        "Move",
        "Select the data set to show",
        ("data",),
        key_label="↑↓",
        own_keys=True,
    ),
    Action(
        "use",
        ("a", "enter"),
        "Add to grid",
        "Return to Launch, with the cursor on the data set's column",
        ("data",),
        True,
    ),
    Action(
        "read",
        ("r",),
        "Read",
        "Read the data set and compute its statistics; fetch it first if it isn't here",
        ("data",),
        True,
    ),
    JUDGE,
    Action("fetch", ("f",), "Fetch", "Download the data set", ("data",), True),
    Action("close", ("escape", "backspace"), "Back", "Go back", ("data",), True),
)
