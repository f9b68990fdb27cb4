"""What can be done wherever results are shown."""

from __future__ import annotations

from tui.shell.action import Action

IMPORTED = Action(
    "imported",
    ("i",),
    "Imported",
    "Include imported runs in cells, or leave them out",
    ("compare", "pivot"),
)
