"""What can be done on the Launch screen."""

from __future__ import annotations

from tui.actions.action import Action

LAUNCH = (
    Action(
        "move",
        ("up", "down", "left", "right"),
        "Move",
        "Move over the grid",
        ("launch",),
        key_label="↑↓←→",
        own_keys=True,
    ),
    Action(
        "choose('cell')",
        ("space",),
        "Select",
        "Select the cell, or not",
        ("launch",),
        True,
        "space",
    ),
    Action("choose('row')", ("r",), "Row", "Select the whole row, or not", ("launch",), True),
    Action("choose('column')", ("c",), "Col", "Select the whole column, or not", ("launch",), True),
    Action("choose('all')", ("a",), "All", "Select every cell, or none", ("launch",), True),
    Action(
        "launch_missing",
        ("enter", "l"),
        "Launch",
        "Launch what is missing of the selection",
        ("launch",),
        True,
        "⏎",
    ),
    Action(
        "launch_all",
        ("L",),
        "Again",
        "Launch the whole selection again, done or not",
        ("launch",),
        key_label="L",
    ),
    Action("fetch", ("f",), "Fetch", "Fetch the data set under the cursor", ("launch",), True),
    Action(
        "options",
        ("o",),
        "Form",
        "Seeds, lengths, settings: to the form and back",
        ("launch",),
        True,
    ),
    Action(
        "leave_form",
        ("escape",),
        "Back to the grid",
        "From the form back to the grid",
        ("launch",),
        True,
        "esc",
    ),
)
