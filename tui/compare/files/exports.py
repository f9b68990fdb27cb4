"""What the comparison writes to files: a table or an archive of its runs, and the report on them.

Each is a `tui.results.export.Export`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from engine.analysis.export import ENDINGS
from engine.config import Catalogue
from engine.progress import OnProgress
from engine.store.compare.grouping import Choice
from engine.store.location import StoreLocation
from tui.compare.view import View
from tui.results.words import choice_lines
from tui.shell.text import count, plain

ARCHIVES = (".tar.zst", ".tar.gz")
"""Endings of an archive of runs (`engine.interchange.pack`)."""


@dataclass(frozen=True, slots=True)
class ComparisonExport:
    """What the table shows, filtered and sorted alike, or all columns of that; or its runs whole.

    Attributes:
        choice: which runs, and how epochs become a figure.
        every: whether all columns are written, else those that are shown.
    """

    location: StoreLocation
    catalogue: Catalogue | None
    view: View
    choice: Choice
    every: bool = False
    title: str = "Export"
    usual: str = "comparison.csv"
    endings: Sequence[str] = (*ENDINGS, *ARCHIVES)

    def switched(self) -> ComparisonExport:
        """The same with all columns, or with those that are shown."""
        return replace(self, every=not self.every)

    def summary(self) -> str:
        """Say which rows and columns."""
        rows = "One row per cell, mean ± std over seeds" if self.view.by_cell else "One row per run"
        columns = (
            "all columns" if self.every else f"the {count(len(self.view.columns), 'column')} shown"
        )
        baseline = (
            ["With differences to the baseline, which comes first."] if self.view.baseline else []
        )
        return "\n".join(
            [
                f"{rows}; {columns}.",
                *baseline,
                *choice_lines(self.choice),
                "csv, json and xlsx have full precision.",
                f"{' or '.join(ARCHIVES)}: the runs themselves, for seqbench import.",
            ]
        )

    def write(self, path: Path, on_progress: OnProgress) -> str:
        """Write the file. Raises as `tui.compare.files.writing.write_table`."""
        from tui.compare.files.writing import Table, write_archive, write_table  # slow to load

        if path.name.lower().endswith(ARCHIVES):
            return write_archive(self.location, path, self.choice, on_progress)
        names = None if self.every else self.view.names
        view = self.view
        table = Table(names, view.sort, view.descending, view.by_cell, view.baseline)
        return write_table(self.location, path, self.choice, table, self.catalogue)


@dataclass(frozen=True, slots=True)
class ReportExport:
    """The report on the runs that the filter leaves."""

    location: StoreLocation
    catalogue: Catalogue | None
    choice: Choice
    title: str = "Report"
    usual: str = "report.html"
    endings: Sequence[str] = (".html", ".htm", ".md", ".markdown")

    def summary(self) -> str:
        """Say which runs, and which formats there are."""
        where = self.choice.filter.strip()
        shown = f"the runs matching {plain(where, 60)}" if where else "all runs"
        return f"On {shown}. HTML is one file; Markdown puts its plots next to it."

    def switched(self) -> None:
        """It has no columns."""

    def write(self, path: Path, on_progress: OnProgress) -> str:  # noqa: ARG002 -- as of all
        """Write the report. Raises as `tui.compare.files.writing.write_report_on`."""
        from tui.compare.files.writing import write_report_on  # slow to load

        write_report_on(self.location, path, self.choice, self.catalogue)
        return "The report"
