"""Actions on the Launch screen: their keys, labels and help."""

from __future__ import annotations

from functools import partial

from tui.shell.action import Action

_launch = partial(Action, screens=("launch",))
_shown = partial(_launch, show=True)

LAUNCH = (
    _launch(
        "move", ("up", "down", "left", "right"), "Move", "Move over the grid",
        key_label="↑↓←→", own_keys=True,
    ),
    _shown("choose('cell')", ("space",), "Cell", "Select the cell, or not"),
    _shown("choose('row')", ("r",), "Row", "Select the whole row, or not"),
    _shown("choose('column')", ("c",), "Column", "Select the whole column, or not"),
    _shown("choose('all')", ("a",), "All", "Select every cell, or none"),
    _shown(
        "rectangle", ("v",), "Block",
        "Select a rectangle: arrows extend it, enter keeps it, escape drops it",
    ),
    _launch(
        "extend", ("shift+up", "shift+down", "shift+left", "shift+right"), "Extend",
        "Select while moving; dragging the mouse does the same",
        key_label="shift+↑↓←→", own_keys=True,
    ),
    _shown("keep_rectangle", ("enter",), "Keep", "Keep the rectangle, and move on"),
    _shown("drop_rectangle", ("escape",), "Drop", "Drop the rectangle"),
    _shown(
        "launch_missing", ("enter", "l"), "Launch",
        "Launch what is missing, selected or under the cursor",
    ),
    _shown(
        "launch_all", ("L",), "Again", "Launch all selected or under the cursor, done or not"
    ),
    _shown("options", ("o",), "Settings", "Seeds, lengths, settings: to the form and back"),
    _shown("fetch", ("f",), "Fetch", "Fetch the data set under the cursor"),
    _launch(
        "data", ("D",), "Data",
        "The data sets: what each is like, where it is, what fetching it costs",
    ),
    _shown(
        "save_suite", ("s",), "Save suite",
        "Save the selection, with its seeds and settings, as a suite",
    ),
    _shown(
        "load_suite", ("u",), "Load suite", "Load a suite: its cells, seeds and settings"
    ),
    _shown(
        "devices", ("d",), "Devices", "The devices: their load, their slots, who else uses them"
    ),
    _launch("unselect", ("escape",), "Unselect", "Select nothing"),
    _shown("leave_form", ("escape",), "Back to the grid", "From the form back to the grid"),
)  # fmt: skip
