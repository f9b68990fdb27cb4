"""What can be done wherever results are shown."""

from __future__ import annotations

from tui.shell.action import Action

IMPORTED = Action(
    "imported",
    ("i",),
    "Imported",
    "Make cells of imported runs too, or leave them out",
    ("compare", "pivot"),
)
