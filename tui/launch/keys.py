"""Actions on the Launch screen: their keys, labels and help, and when each is offered."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from tui.shell.action import Action, actions_for

_launch = partial(Action, screens=("launch",))
_shown = partial(_launch, show=True)

LAUNCH = (
    _launch(
        "move", ("up", "down", "left", "right"), "Move", "Move over the grid",
        key_label="↑↓←→", own_keys=True,
    ),
    _shown("choose('cell')", ("space",), "Select cell", "Select or deselect the cell"),
    _shown("choose('row')", ("r",), "Row", "Select or deselect the whole row"),
    _shown("choose('column')", ("c",), "Column", "Select or deselect the whole column"),
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
    _shown("keep_rectangle", ("enter",), "Keep", "Keep the cells of the rectangle selected"),
    _shown("drop_rectangle", ("escape",), "Drop", "Drop the rectangle"),
    _shown(
        "launch_missing", ("enter", "l"), "Launch",
        "Launch what is missing from the selection, or from the cell under the cursor",
    ),
    _shown(
        "launch_all", ("L",), "Re-run",
        "Launch everything selected or under the cursor, including what is done",
    ),
    _shown(
        "tune", ("t",), "Tune",
        "Choose settings on validation: begin a study of the selected models, or of the one under "
        "the cursor",
    ),
    _shown("options", ("o",), "Settings", "Go to the form (seeds, lengths, overrides) and back"),
    _shown("fetch", ("f",), "Fetch", "Fetch the data set under the cursor"),
    _shown(
        "data", ("D",), "Data",
        "List all data sets with their statistics; fetch one, or add it to the grid",
    ),
    _shown(
        "save_suite", ("s",), "Save",
        "Save the selection, with its seeds and settings, as a suite",
    ),
    _shown(
        "load_suite", ("S",), "Load", "Load a suite: its cells, seeds and settings"
    ),
    _shown(
        "devices", ("d",), "Devices", "Show the devices: load, slots, other processes"
    ),
    _shown(
        "open_run", ("enter",), "Open run",
        "Open the chosen run of the cell (tab goes to the list of runs)",
    ),
    _launch("unselect", ("escape",), "Deselect", "Clear the selection"),
    _shown("next_field", ("tab",), "Next field", "Go to the next field of the form"),
    _shown(
        "leave", ("escape",), "Back to the grid",
        "Return from the form or the list of runs to the grid", slug="leave-form",
    ),
)  # fmt: skip

_ACTIONS = frozenset(action.id.partition("(")[0] for action in actions_for("launch", LAUNCH))


class Situation(NamedTuple):
    """What the screen shows.

    Attributes:
        trouble: whether the configuration can't be used.
        in_form: whether the form has the focus.
        in_runs: whether the list of the cell's runs has it.
        rectangle: whether a rectangle is being selected.
        selected: whether cells are selected.
        wide: whether the devices stand beside the summary.
    """

    trouble: bool
    in_form: bool
    in_runs: bool
    rectangle: bool
    selected: bool
    wide: bool


def is_offered(action: str, now: Situation) -> bool:
    """Tell whether an action can be done: in the form its own keys count, and escape leads out."""
    if now.trouble and action in _ACTIONS:
        return False
    in_grid = not (now.in_form or now.in_runs or now.rectangle)
    rules = {
        "leave": now.in_form or now.in_runs,
        "open_run": now.in_runs,
        "next_field": now.in_form,
        "keep_rectangle": now.rectangle,
        "drop_rectangle": now.rectangle,
        "launch_missing": in_grid,
        "tune": in_grid,
        "unselect": in_grid and now.selected,
        "devices": not now.wide,
        "fetch": not now.rectangle,
        "options": not now.rectangle,
    }
    return rules.get(action, True)
