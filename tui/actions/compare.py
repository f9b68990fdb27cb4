"""What can be done on the Compare screen."""

from __future__ import annotations

from tui.actions.action import Action

COMPARE = (
    Action(
        "filter", ("slash",), "Filter", "Show only runs with these words", ("compare",), True, "/"
    ),
    Action(
        "clear",
        ("escape",),
        "Clear",
        "Empty the filter and go back to the table",
        ("compare",),
        True,
    ),
    Action(
        "move",
        ("up", "down", "left", "right"),
        "Move",
        "Move over runs and columns",
        ("compare",),
        key_label="↑↓←→",
        own_keys=True,
    ),
    Action(
        "sort",
        ("s",),
        "Sort",
        "Sort by the column under the cursor; again, the other way",
        ("compare",),
        True,
    ),
    Action(
        "aggregate",
        ("a",),
        "Aggregate",
        "How a run's epochs become a figure: best, max, last, mean",
        ("compare",),
        True,
    ),
    Action(
        "reference",
        ("r",),
        "Reference",
        "Published figures beside ours, or not",
        ("compare",),
        True,
    ),
    Action(
        "details", ("enter",), "Details", "Open the run under the cursor", ("compare",), True, "⏎"
    ),
    Action("copy", ("y",), "Copy", "Copy the figure under the cursor, every digit", ("compare",)),
)
