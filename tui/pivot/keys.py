"""What can be done in the comparison's pivot."""

from __future__ import annotations

from tui.shell.action import Action

PIVOT = (
    Action("close", ("escape", "v"), "Back", "Back to the table of runs", ("pivot",), True),
    Action(
        "move",
        ("up", "down", "left", "right"),
        "Move",
        "Move over rows and columns",
        ("pivot",),
        key_label="↑↓←→",
        own_keys=True,
    ),
    Action(
        "fold",
        ("enter",),
        "Fold",
        "Fold the model or data set under the cursor, or unfold it",
        ("pivot",),
        True,
        "⏎",
    ),
    Action(
        "fold_level",
        ("f",),
        "Fold all",
        "Show every cell, or data sets, or models alone",
        ("pivot",),
        True,
    ),
    Action(
        "aggregate",
        ("a",),
        "Epoch",
        "How a run's epochs become a figure: best, max, last, mean",
        ("pivot",),
        True,
    ),
    Action(
        "reference",
        ("r",),
        "Reference",
        "Published figures below ours, with the difference, or not",
        ("pivot",),
        True,
    ),
    Action(
        "mark",
        ("space",),
        "Mark",
        "Mark the cell, or not: two can be set against each other",
        ("pivot",),
        True,
        key_label="space",
    ),
    Action(
        "diff",
        ("=",),
        "Against",
        "Set the two marked cells against each other: the paired test, and what differs",
        ("pivot",),
        True,
        "=",
    ),
    Action("copy", ("y",), "Copy", "Copy the value under the cursor, every digit", ("pivot",)),
    Action(
        "copy_all",
        ("Y",),
        "Copy all",
        "Copy the whole pivot, tabs between the columns",
        ("pivot",),
        key_label="Y",
    ),
    Action(
        "export",
        ("e",),
        "Export",
        "Write the whole pivot to a file: XLSX, CSV, Markdown, LaTeX, JSON or text",
        ("pivot",),
        True,
    ),
)
