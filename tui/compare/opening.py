"""Opening the screens and dialogs that Compare leads to; each is loaded when it is first opened."""

from __future__ import annotations

from tui.compare.columns import source_of
from tui.compare.page import CompareRow
from tui.compare.reading import Choice
from tui.compare.view import View, plotted
from tui.lab import Lab


def open_diff(app: Lab, rows: tuple[CompareRow, CompareRow], choice: Choice, view: View) -> None:
    """Compare two rows."""
    from tui.results.diff import DiffScreen
    from tui.results.diff_text import RunOrCell

    left, right = (RunOrCell(row.key, row.run is None) for row in rows)
    app.push_screen(DiffScreen(left, right, choice, view.aggregate))


def open_import(app: Lab) -> None:
    """Take in runs from a file or folder."""
    from tui.compare.files.importing import ImportScreen

    app.push_screen(ImportScreen())


def open_export(app: Lab, choice: Choice, view: View) -> None:
    """Write what is shown to a file."""
    from tui.compare.files.exports import ComparisonExport
    from tui.results.export import ExportScreen

    app.push_screen(ExportScreen(ComparisonExport(app.location, app.catalogue, view, choice)))


def open_report(app: Lab, choice: Choice) -> None:
    """Write the report of the runs of a choice."""
    from tui.compare.files.exports import ReportExport
    from tui.results.export import ExportScreen

    app.push_screen(ExportScreen(ReportExport(app.location, app.catalogue, choice)))


def open_scatter(app: Lab, choice: Choice, view: View, under: str) -> None:
    """Plot the column that is sorted by against another.

    Args:
        under: the key of the column under the cursor; empty if there is none.
    """
    from tui.compare.scatter.screen import ScatterScreen

    app.push_screen(ScatterScreen(*plotted(view, source_of(under)), choice))
