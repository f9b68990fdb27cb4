"""What can be done on the Live screen."""

from __future__ import annotations

from tui.actions.action import Action

LIVE = (
    Action(
        "move",
        ("up", "down", "home", "end"),
        "Move",
        "Choose the run that is shown",
        ("live",),
        key_label="↑↓",
        own_keys=True,
    ),
    Action("open", ("enter",), "Details", "Open the selected run", ("live",), True, "⏎"),
    Action("cancel", ("x",), "Cancel", "Cancel the selected run, after asking", ("live",), True),
    Action(
        "retry",
        ("t",),
        "Retry",
        "Queue the selected run again: it goes on from its checkpoint",
        ("live",),
        True,
    ),
    Action("pause", ("p",), "Pause", "Pause the queue, or let it go on", ("live",), True),
    Action(
        "next_chart", ("g",), "Next chart", "Show the next chart large, or all again", ("live",)
    ),
    Action("scroll_log(-5)", ("pageup",), "Log back", "Scroll the log back", ("live",)),
    Action("scroll_log(5)", ("pagedown",), "Log on", "Scroll the log on", ("live",)),
    Action("follow", ("f",), "Follow", "Go to the end of the log and follow it", ("live",), True),
)
