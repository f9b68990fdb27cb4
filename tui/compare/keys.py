"""Actions on the Compare screen and on its scatter plot: their keys, labels and help."""

from __future__ import annotations

from functools import partial

from tui.results.keys import IMPORTED
from tui.shell.action import Action

_compare = partial(Action, screens=("compare",))
_shown = partial(_compare, show=True)
_scatter = partial(Action, screens=("scatter",))

COMPARE = (
    _compare(
        "move", ("up", "down", "left", "right"), "Move", "Move over runs and columns",
        key_label="↑↓←→", own_keys=True,
    ),
    _shown("details", ("enter",), "Open", "Open the run under the cursor, or expand the cell"),
    _shown("mark", ("space",), "Mark", "Mark or unmark the row: to compare two, tag or delete"),
    _shown("filter", ("slash",), "Filter", "Show only the runs that match"),
    _shown("sort", ("s",), "Sort", "Sort by the column under the cursor; again to reverse"),
    _shown(
        "cells", ("b",), "Group by cell",
        "One row per cell, with mean ± standard deviation over its seeds, or one row per run",
    ),
    IMPORTED,
    _shown(
        "aggregate", ("a",), "Aggregate", "How epochs become one value: best, max, last, mean",
    ),
    _compare("scatter", ("p",), "Plot", "Plot any two columns, with the Pareto front"),
    _shown(
        "diff", ("=",), "Compare", "Compare the two marked rows: what differs, and a paired test"
    ),
    _shown(
        "pivot", ("v",), "Pivot",
        "Cells by model, data set and length, with the maximum of each group",
    ),
    _shown(
        "baseline", ("B",), "Baseline",
        "Make the run or cell under the cursor the baseline; again to unset it",
    ),
    _shown("views", ("V",), "Views", "Switch to a saved view: filter, order, columns, grouping"),
    _compare("save_view", ("S",), "Save view", "Save what is shown as a view, under a name"),
    _shown("columns", ("C",), "Columns", "Choose the columns and their order"),
    _shown(
        "export", ("e",), "Export",
        "Write the runs to a file: CSV, Markdown, JSON, LaTeX, XLSX, text, or an archive",
    ),
    _compare(
        "import", ("I",), "Import", "Import runs from an archive, TensorBoard event files, or CSV"
    ),
    _compare("copy", ("y",), "Copy", "Copy the value under the cursor in full precision"),
    _compare("copy_row", ("Y",), "Copy row", "Copy the row, separated by tabs"),
    _compare(
        "copy_command", ("ctrl+y",), "Copy command", "Copy the command that reruns it"
    ),
    _compare(
        "report", ("W",), "Report",
        "Write a report on the runs that match the filter: HTML or Markdown",
    ),
    _compare("tags", ("#",), "Tags", "Tag the marked runs, or the one under the cursor"),
    _compare("note", ("n",), "Note", "Write a note about the run"),
    _shown(
        "delete", ("d",), "Delete",
        "Delete the marked runs, or the one under the cursor; u brings them back",
    ),
    _compare("reference", ("r",), "Published", "Show or hide published results next to ours"),
    _shown(
        "clear", ("escape",), "Clear",
        "Clear the filter and return to the table; then clear the marks",
    ),
    # The scatter plot
    _scatter(
        "dismiss", ("escape", "p"), "Back", "Return to the table", show=True, slug="close"
    ),
    _scatter(
        "step", ("left", "right", "up", "down"), "Move", "Go to the nearest run in that direction",
        key_label="↑↓←→", own_keys=True,
    ),
    _scatter(
        "front(1)", ("f", "F"), "Front", "Go to the next or previous run on the Pareto front",
        key_label="f F", own_keys=True,
    ),
    _scatter("axis('x')", ("x",), "X axis", "Choose what the x axis shows", show=True),
    _scatter("axis('y')", ("y",), "Y axis", "Choose what the y axis shows", show=True),
    _scatter("swap_axes", ("s",), "Swap", "Swap the axes", show=True),
    _scatter("open_point", ("enter",), "Open", "Open the run under the cursor", show=True),
)  # fmt: skip

ON_ROWS = frozenset({
    "details", "mark", "diff", "baseline", "copy", "copy_row", "copy_command", "note", "tags",
    "delete",
})  # fmt: skip
"""Actions on the row under the cursor, or on the marked ones."""
