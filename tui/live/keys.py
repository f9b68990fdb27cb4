"""What can be done on the Live screen."""

from __future__ import annotations

from tui.shell.action import Action

LIVE = (
    Action("move", ("up", "down", "home", "end"), "Move", "Choose the run that is shown",
           ("live",), key_label="↑↓", own_keys=True),
    Action("open", ("enter",), "Open", "Open the selected run", ("live",), True),
    Action("cancel", ("x",), "Cancel", "Cancel the selected run, after asking", ("live",), True),
    Action("retry", ("t",), "Retry",
           "Queue the selected run again: it goes on from its checkpoint", ("live",), True),
    Action("reorder('up')", ("K",), "Sooner", "Move the selected run one place up the queue",
           ("live",)),
    Action("reorder('down')", ("J",), "Later", "Move the selected run one place down the queue",
           ("live",)),
    Action("reorder('first')", ("ctrl+t",), "Next",
           "Move the selected run to the front of the queue", ("live",)),
    Action("reorder('last')", ("ctrl+e",), "Last", "Move the selected run to the end of the queue",
           ("live",)),
    Action("pause", ("p",), "Pause", "Pause the queue, or let it go on", ("live",), True),
    Action("next_chart", ("g",), "Next chart", "Show the next chart large, or all again",
           ("live",), True),
    Action("scroll_log(-5)", ("pageup",), "Log back", "Scroll the log back", ("live",),
           slug="log-back"),
    Action("scroll_log(5)", ("pagedown",), "Log on", "Scroll the log on", ("live",),
           slug="log-on"),
    Action("follow", ("f",), "Follow", "Go to the end of the log and follow it", ("live",), True),
    Action("search", ("slash",), "Search", "Search the log", ("live",), True),
    Action("next_match(1)", ("n",), "Next", "Go to the next line that was searched for", ("live",),
           slug="next-match"),
    Action("next_match(-1)", ("N",), "Before", "Go to the line before that was searched for",
           ("live",), slug="match-before"),
    Action("end_search", ("escape",), "End", "End the search of the log", ("live",)),
    Action("wrap", ("w",), "Wrap", "Show long lines of the log whole, or clipped", ("live",)),
    Action("since", ("S",), "Since", "What ended between your last visit and this", ("live",),
           True),
)  # fmt: skip
