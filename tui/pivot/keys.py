"""Actions in the comparison's pivot: their keys, labels and help."""

from __future__ import annotations

from functools import partial

from tui.shell.action import Action

_pivot = partial(Action, screens=("pivot",))
_shown = partial(_pivot, show=True)

PIVOT = (
    _shown("dismiss", ("escape", "v"), "Back", "Return to the table of runs", slug="close"),
    _pivot(
        "move", ("up", "down", "left", "right"), "Move", "Move over rows and columns",
        key_label="↑↓←→", own_keys=True,
    ),
    _shown("fold", ("enter",), "Fold", "Fold or expand the model or data set under the cursor"),
    _shown("fold_level", ("f",), "Fold all", "Show every cell, only data sets, or only models"),
    _shown(
        "aggregate", ("a",), "Aggregate", "How epochs become one value: best, max, last, mean"
    ),
    _shown("columns", ("C",), "Columns", "Choose the columns and their order"),
    _shown(
        "reference", ("r",), "Published",
        "Show published results below ours, with the difference, or hide them",
    ),
    _shown(
        "mark", ("space",), "Mark", "Mark the cell or unmark it: two can be compared"
    ),
    _shown(
        "diff", ("=",), "Compare", "Compare the two marked cells: what differs, and a paired test",
    ),
    _pivot("copy", ("y",), "Copy", "Copy the value under the cursor in full precision"),
    _pivot("copy_all", ("Y",), "Copy all", "Copy the whole pivot, separated by tabs"),
    _shown(
        "export", ("e",), "Export",
        "Write the whole pivot to a file: XLSX, CSV, Markdown, LaTeX, JSON or text",
    ),
)  # fmt: skip

ON_ROWS = frozenset({
    "fold", "fold_level", "reference", "mark", "diff", "copy", "copy_all", "export",
})  # fmt: skip
"""Actions on rows of the pivot."""
