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
    _shown("details", ("enter",), "Open", "Open the run under the cursor, or unfold the cell"),
    _shown("mark", ("space",), "Mark", "Mark the run or cell, or not: for diff, tags and delete"),
    _shown("filter", ("slash",), "Filter", "Show only runs with these words"),
    _shown("sort", ("s",), "Sort", "Sort by the column under the cursor; again, the other way"),
    _shown(
        "cells", ("b",), "Cells",
        "A line a cell, with mean ± deviation over its seeds, or a line a run",
    ),
    IMPORTED,
    _shown(
        "aggregate", ("a",), "Best", "How a run's epochs become a figure: best, max, last, mean",
    ),
    _shown("scatter", ("p",), "Plot", "Any two columns as a scatter plot, the Pareto front marked"),
    _shown(
        "diff", ("=",), "Diff", "Set the two that are marked beside each other: only what differs"
    ),
    _shown(
        "pivot", ("v",), "Pivot",
        "The reference table's form: cells by model, data set and length, with maxima",
    ),
    _shown("columns", ("C",), "Columns", "Which columns are shown, and in which order"),
    _shown(
        "export", ("e",), "Export",
        "Write what is shown to a file: CSV, Markdown, JSON, text, or the runs as an archive",
    ),
    _compare(
        "import", ("I",), "Import", "Take in runs: an archive, TensorBoard event files, or CSV"
    ),
    _shown("copy", ("y",), "Copy", "Copy the value under the cursor, every digit"),
    _compare("copy_row", ("Y",), "Copy row", "Copy the whole row, tabs between the columns"),
    _compare(
        "copy_command", ("ctrl+y",), "Copy command", "Copy the command that launches the run again"
    ),
    _compare(
        "report", ("W",), "Report",
        "Write the report of the runs that the filter leaves: HTML or Markdown",
    ),
    _shown("tags", ("#",), "Tags", "Tags of the marked runs, or of the one under the cursor"),
    _shown("note", ("n",), "Note", "Write a note about the run"),
    _shown(
        "delete", ("d",), "Delete",
        "Delete the marked runs, or the one under the cursor; u brings them back",
    ),
    _shown("reference", ("r",), "Refs", "Published figures beside ours, or not"),
    _shown(
        "clear", ("escape",), "Clear",
        "Empty the filter and go back to the table; then take the marks away",
    ),
    # The scatter plot
    _scatter(
        "dismiss", ("escape", "p"), "Back", "Back to the table", show=True, slug="close"
    ),
    _scatter(
        "step", ("left", "right", "up", "down"), "Move", "To the nearest run that way",
        key_label="↑↓←→", own_keys=True,
    ),
    _scatter(
        "front(1)", ("f", "F"), "Front", "To the next run of the Pareto front, or the one before",
        key_label="f F", own_keys=True,
    ),
    _scatter("axis('x')", ("x",), "X axis", "Choose what the x axis shows", show=True),
    _scatter("axis('y')", ("y",), "Y axis", "Choose what the y axis shows", show=True),
    _scatter("swap_axes", ("s",), "Swap", "One axis for the other", show=True),
    _scatter("open_point", ("enter",), "Open", "Open the run under the cursor", show=True),
)  # fmt: skip
