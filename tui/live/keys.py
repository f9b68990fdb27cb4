"""Actions on the Live screen: their keys, labels and help."""

from __future__ import annotations

from functools import partial

from tui.shell.action import Action

_live = partial(Action, screens=("live",))
_shown = partial(_live, show=True)

LIVE = (
    _live("move", ("up", "down", "home", "end"), "Move", "Select the run to show",
          key_label="↑↓", own_keys=True),
    _shown("open", ("enter",), "Open", "Open the selected run"),
    _shown("cancel", ("x",), "Cancel", "Cancel the selected run, after asking"),
    _shown("retry", ("t",), "Retry",
           "Queue the selected run again; it resumes from its checkpoint"),
    _shown("train_on", ("m",), "More epochs",
           "Train the selected run past its epoch limit, as a new run"),
    _shown("refit", ("M",), "Refit",
           "Train the selected run again with validation included, to its chosen epoch, as a new "
           "run"),
    _live("reorder('up')", ("K",), "Sooner", "Move the selected run one place up the queue"),
    _live("reorder('down')", ("J",), "Later", "Move the selected run one place down the queue"),
    _live("reorder('first')", ("ctrl+t",), "Next",
          "Move the selected run to the front of the queue"),
    _live("reorder('last')", ("ctrl+e",), "Last", "Move the selected run to the end of the queue"),
    _shown("pause", ("p",), "Pause", "Pause or resume the queue"),
    _shown("next_chart", ("g",), "Next chart", "Show the next chart large, or all again"),
    _live("scroll_log(-5)", ("pageup",), "Log back", "Scroll the log back", slug="log-back"),
    _live("scroll_log(5)", ("pagedown",), "Log forward", "Scroll the log forward", slug="log-on"),
    _shown("follow", ("f",), "Follow", "Go to the end of the log and follow it"),
    _shown("search", ("slash",), "Search", "Search the log"),
    _live("next_match(1)", ("n",), "Next", "Go to the next line with the search text",
          slug="next-match"),
    _live("next_match(-1)", ("N",), "Previous", "Go to the previous line with the search text",
          slug="match-before"),
    _live("end_search", ("escape",), "End", "End the search of the log"),
    _live("wrap", ("w",), "Wrap", "Wrap long lines of the log, or clip them"),
    _shown("study", ("T",), "Studies",
           "Show the study that the selected trial is of, or list all studies"),
    _shown("since", ("S",), "Since", "List what finished since your last visit"),
)  # fmt: skip

ON_A_RUN = frozenset({"open", "cancel", "retry", "train_on", "refit", "reorder", "study"})
"""Actions on the selected run."""
