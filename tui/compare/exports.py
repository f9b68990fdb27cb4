"""What the comparison writes to files: a table or an archive of its runs, and the report on them.

Each is a `tui.results.export.Export`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.config import Catalogue
from engine.store.compare.grouping import Choice
from engine.store.location import StoreLocation
from tui.compare.view import View
from tui.results.words import choice_lines
from tui.shell.text import plain

FORMAT_OF = {".csv": "csv", ".md": "md", ".json": "json", ".txt": "table"}
"""Formats of `engine.analysis.export` by a file's ending."""

ARCHIVES = (".tar.zst", ".tar.gz")
"""Endings of an archive of runs (`engine.interchange.pack`)."""


@dataclass(frozen=True, slots=True)
class ComparisonExport:
    """What the table shows, filtered and sorted alike, with every column; or its runs whole.

    Attributes:
        choice: which runs, and how epochs become a figure.
    """

    location: StoreLocation
    catalogue: Catalogue | None
    view: View
    choice: Choice
    title: str = "Export"
    usual: str = "comparison.csv"
    endings: Sequence[str] = (*FORMAT_OF, *ARCHIVES)

    def summary(self) -> str:
        """Say which rows and columns."""
        rows = "A row a cell, mean and deviation over seeds" if self.view.by_cell else "A row a run"
        parts = [
            f"{rows}; every column, every digit.",
            *(["Differences to the baseline, which comes first."] if self.view.baseline else []),
            *choice_lines(self.choice),
            f"Named {' or '.join(ARCHIVES)}: its runs whole, to be imported elsewhere.",
        ]
        return "\n".join(parts)

    def write(self, path: Path) -> str:
        """Write the file. Raises as `tui.compare.writing.write_table`."""
        from tui.compare.writing import write_archive, write_table  # slow to load

        if path.name.lower().endswith(ARCHIVES):
            return write_archive(self.location, path, self.choice)
        format_, sort = FORMAT_OF[path.suffix.lower()], (self.view.sort, self.view.descending)
        return write_table(
            self.location,
            path,
            format_,
            self.choice,
            sort,
            self.catalogue,
            cells=self.view.by_cell,
            baseline=self.view.baseline,
        )


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
        shown = f"the runs that meet {plain(where, 60)}" if where else "all runs"
        return f"On {shown}. HTML is one file; Markdown has its plots beside it."

    def write(self, path: Path) -> str:
        """Write the report. Raises as `tui.compare.writing.write_report_on`."""
        from tui.compare.writing import write_report_on  # slow to load

        write_report_on(self.location, path, self.choice, self.catalogue)
        return "The report"
