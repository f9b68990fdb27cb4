"""What can be done on the Launch screen."""

from __future__ import annotations

from tui.shell.action import Action

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
        "choose('cell')", ("space",), "Cell", "Select the cell, or not", ("launch",), True, "space"
    ),
    Action("choose('row')", ("r",), "Row", "Select the whole row, or not", ("launch",), True),
    Action(
        "choose('column')", ("c",), "Column", "Select the whole column, or not", ("launch",), True
    ),
    Action("choose('all')", ("a",), "All", "Select every cell, or none", ("launch",), True),
    Action(
        "rectangle",
        ("v",),
        "Block",
        "Select a rectangle: arrows extend it, enter keeps it, escape drops it",
        ("launch",),
        True,
    ),
    Action(
        "extend",
        ("shift+up", "shift+down", "shift+left", "shift+right"),
        "Extend",
        "Select while moving; dragging the mouse does the same",
        ("launch",),
        key_label="shift+↑↓←→",
        own_keys=True,
    ),
    Action(
        "keep_rectangle",
        ("enter",),
        "Keep",
        "Keep the rectangle, and move on",
        ("launch",),
        True,
        "⏎",
    ),
    Action("drop_rectangle", ("escape",), "Drop", "Drop the rectangle", ("launch",), True, "esc"),
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
        True,
        key_label="L",
    ),
    Action(
        "options",
        ("o",),
        "Settings",
        "Seeds, lengths, settings: to the form and back",
        ("launch",),
        True,
    ),
    Action("fetch", ("f",), "Fetch", "Fetch the data set under the cursor", ("launch",), True),
    Action(
        "data",
        ("D",),
        "Data",
        "The data sets: what each is like, where it is, what fetching it costs",
        ("launch",),
        key_label="D",
    ),
    Action(
        "save_suite",
        ("s",),
        "Save suite",
        "Save the selection, with its seeds and settings, as a suite",
        ("launch",),
        True,
    ),
    Action(
        "load_suite",
        ("u",),
        "Load suite",
        "Load a suite: its cells, seeds and settings",
        ("launch",),
        True,
    ),
    Action(
        "devices",
        ("d",),
        "Devices",
        "The devices: their load, their slots, who else uses them",
        ("launch",),
        True,
    ),
    Action("unselect", ("escape",), "Unselect", "Select nothing", ("launch",), key_label="esc"),
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
