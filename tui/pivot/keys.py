"""Actions in the comparison's pivot: their keys, labels and help."""

from __future__ import annotations

from functools import partial

from tui.shell.action import Action

_pivot = partial(Action, screens=("pivot",))
_shown = partial(_pivot, show=True)

PIVOT = (
    _shown("dismiss", ("escape", "v"), "Back", "Back to the table of runs", slug="close"),
    _pivot(
        "move", ("up", "down", "left", "right"), "Move", "Move over rows and columns",
        key_label="↑↓←→", own_keys=True,
    ),
    _shown("fold", ("enter",), "Fold", "Fold the model or data set under the cursor, or unfold it"),
    _shown("fold_level", ("f",), "Fold all", "Show every cell, or data sets, or models alone"),
    _shown(
        "aggregate", ("a",), "Epoch", "How a run's epochs become a figure: best, max, last, mean"
    ),
    _shown(
        "reference", ("r",), "Reference",
        "Published figures below ours, with the difference, or not",
    ),
    _shown(
        "mark", ("space",), "Mark", "Mark the cell, or not: two can be set against each other"
    ),
    _shown(
        "diff", ("=",), "Against",
        "Set the two marked cells against each other: the paired test, and what differs",
    ),
    _pivot("copy", ("y",), "Copy", "Copy the value under the cursor, every digit"),
    _pivot("copy_all", ("Y",), "Copy all", "Copy the whole pivot, tabs between the columns"),
    _shown(
        "export", ("e",), "Export",
        "Write the whole pivot to a file: XLSX, CSV, Markdown, LaTeX, JSON or text",
    ),
)  # fmt: skip
