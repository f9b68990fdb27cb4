"""What can be done on a run's screen."""

from __future__ import annotations

from tui.shell.action import Action

RUN = (
    Action("dismiss", ("escape", "backspace"), "Back", "Back to where you came from", ("run",),
           True, slug="close"),
    Action("retry", ("t",), "Retry", "Try the run again, from its checkpoint", ("run",), True),
    Action("amend", ("T",), "Changed", "Try it with the proposed change, as a new run", ("run",),
           True),
    Action("cancel", ("x",), "Cancel", "Cancel the run, after asking", ("run",), True),
    Action("delete", ("d",), "Delete", "Delete the run and its folder, after asking", ("run",),
           True),
    Action("predict", ("p",), "Predict", "What it recommends to single users, in titles", ("run",),
           True),
    Action("note", ("n",), "Note", "Write a note about the run", ("run",), True),
    Action("copy", ("y",), "Copy", "Copy the command that launches the run again", ("run",), True),
)  # fmt: skip
