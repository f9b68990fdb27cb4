"""What can be done on the Compare screen."""

from __future__ import annotations

from functools import partial

from tui.results.keys import IMPORTED
from tui.shell.action import Action

_compare = partial(Action, screens=("compare",))
_scatter = partial(Action, screens=("scatter",))

COMPARE = (
    _compare(
        "move",
        ("up", "down", "left", "right"),
        "Move",
        "Move over runs and columns",
        key_label="↑↓←→",
        own_keys=True,
    ),
    _compare(
        "details",
        ("enter",),
        "Open",
        "Open the run under the cursor, or unfold the cell",
        show=True,
        key_label="⏎",
    ),
    _compare(
        "mark",
        ("space",),
        "Mark",
        "Mark the run or cell, or not: for diff, tags and delete",
        show=True,
        key_label="space",
    ),
    _compare(
        "filter", ("slash",), "Filter", "Show only runs with these words", show=True, key_label="/"
    ),
    _compare(
        "sort",
        ("s",),
        "Sort",
        "Sort by the column under the cursor; again, the other way",
        show=True,
    ),
    _compare(
        "cells",
        ("b",),
        "Cells",
        "A line a cell, with mean ± deviation over its seeds, or a line a run",
        show=True,
    ),
    IMPORTED,
    _compare(
        "aggregate",
        ("a",),
        "Best",
        "How a run's epochs become a figure: best, max, last, mean",
        show=True,
    ),
    _compare(
        "scatter",
        ("p",),
        "Plot",
        "Any two columns as a scatter plot, the Pareto front marked",
        show=True,
    ),
    _compare(
        "diff",
        ("=",),
        "Diff",
        "Set the two that are marked beside each other: only what differs",
        show=True,
        key_label="=",
    ),
    _compare(
        "pivot",
        ("v",),
        "Pivot",
        "The reference table's form: cells by model, data set and length, with maxima",
        show=True,
    ),
    _compare(
        "columns",
        ("C",),
        "Columns",
        "Which columns are shown, and in which order",
        show=True,
        key_label="C",
    ),
    _compare(
        "export",
        ("e",),
        "Export",
        "Write what is shown to a file: CSV, Markdown, JSON, text, or the runs as an archive",
        show=True,
    ),
    _compare(
        "import",
        ("I",),
        "Import",
        "Take in runs: an archive, TensorBoard event files, or CSV",
        key_label="I",
    ),
    _compare("copy", ("y",), "Copy", "Copy the value under the cursor, every digit", show=True),
    _compare(
        "copy_row",
        ("Y",),
        "Copy row",
        "Copy the whole row, tabs between the columns",
        key_label="Y",
    ),
    _compare(
        "copy_command", ("ctrl+y",), "Copy command", "Copy the command that launches the run again"
    ),
    _compare(
        "report",
        ("W",),
        "Report",
        "Write the report of the runs that the filter leaves: HTML or Markdown",
        key_label="W",
    ),
    _compare(
        "tags", ("#",), "Tags", "Tags of the marked runs, or of the one under the cursor", show=True
    ),
    _compare("note", ("n",), "Note", "Write a note about the run", show=True),
    _compare(
        "delete",
        ("d",),
        "Delete",
        "Delete the marked runs, or the one under the cursor; u takes it back for ten seconds",
        show=True,
    ),
    _compare("reference", ("r",), "Refs", "Published figures beside ours, or not", show=True),
    _compare("undo", ("u",), "Undo", "Take the newest deletion back", show=True),
    _compare(
        "clear",
        ("escape",),
        "Clear",
        "Empty the filter and go back to the table; then take the marks away",
        show=True,
    ),
    # The scatter plot
    _scatter("close", ("escape", "p"), "Back", "Back to the table", show=True),
    _scatter(
        "step",
        ("left", "right", "up", "down"),
        "Move",
        "To the nearest run that way",
        key_label="↑↓←→",
        own_keys=True,
    ),
    _scatter(
        "front(1)",
        ("f", "F"),
        "Front",
        "To the next run of the Pareto front, or the one before",
        key_label="f F",
        own_keys=True,
    ),
    _scatter("axis('x')", ("x",), "X axis", "Choose what the x axis shows", show=True),
    _scatter("axis('y')", ("y",), "Y axis", "Choose what the y axis shows", show=True),
    _scatter("swap_axes", ("s",), "Swap", "One axis for the other", show=True),
    _scatter(
        "open_point", ("enter",), "Open", "Open the run under the cursor", show=True, key_label="⏎"
    ),
)
