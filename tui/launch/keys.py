"""What can be done on the Launch screen."""

from __future__ import annotations

from functools import partial

from tui.shell.action import Action

_action = partial(Action, screens=("launch",))

LAUNCH = (
    _action(
        "move",
        ("up", "down", "left", "right"),
        "Move",
        "Move over the grid",
        key_label="↑↓←→",
        own_keys=True,
    ),
    _action(
        "choose('cell')",
        ("space",),
        "Cell",
        "Select the cell, or not",
        show=True,
        key_label="space",
    ),
    _action("choose('row')", ("r",), "Row", "Select the whole row, or not", show=True),
    _action("choose('column')", ("c",), "Column", "Select the whole column, or not", show=True),
    _action("choose('all')", ("a",), "All", "Select every cell, or none", show=True),
    _action(
        "rectangle",
        ("v",),
        "Block",
        "Select a rectangle: arrows extend it, enter keeps it, escape drops it",
        show=True,
    ),
    _action(
        "extend",
        ("shift+up", "shift+down", "shift+left", "shift+right"),
        "Extend",
        "Select while moving; dragging the mouse does the same",
        key_label="shift+↑↓←→",
        own_keys=True,
    ),
    _action(
        "keep_rectangle",
        ("enter",),
        "Keep",
        "Keep the rectangle, and move on",
        show=True,
        key_label="⏎",
    ),
    _action(
        "drop_rectangle", ("escape",), "Drop", "Drop the rectangle", show=True, key_label="esc"
    ),
    _action(
        "launch_missing",
        ("enter", "l"),
        "Launch",
        "Launch what is missing of the selection",
        show=True,
        key_label="⏎",
    ),
    _action(
        "launch_all",
        ("L",),
        "Again",
        "Launch the whole selection again, done or not",
        show=True,
        key_label="L",
    ),
    _action(
        "options", ("o",), "Settings", "Seeds, lengths, settings: to the form and back", show=True
    ),
    _action("fetch", ("f",), "Fetch", "Fetch the data set under the cursor", show=True),
    _action(
        "data",
        ("D",),
        "Data",
        "The data sets: what each is like, where it is, what fetching it costs",
        key_label="D",
    ),
    _action(
        "save_suite",
        ("s",),
        "Save suite",
        "Save the selection, with its seeds and settings, as a suite",
        show=True,
    ),
    _action(
        "load_suite", ("u",), "Load suite", "Load a suite: its cells, seeds and settings", show=True
    ),
    _action(
        "devices",
        ("d",),
        "Devices",
        "The devices: their load, their slots, who else uses them",
        show=True,
    ),
    _action("unselect", ("escape",), "Unselect", "Select nothing", key_label="esc"),
    _action(
        "leave_form",
        ("escape",),
        "Back to the grid",
        "From the form back to the grid",
        show=True,
        key_label="esc",
    ),
)
