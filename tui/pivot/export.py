"""The pivot as a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.analysis.export import ENDINGS
from engine.analysis.pivot.arranged import BESIDE, PivotRow
from engine.analysis.pivot.text import format_pivot
from engine.files.named import write_named
from engine.progress import OnProgress
from engine.store.compare.grouping import Choice
from tui.results.words import choice_lines
from tui.shell.text import count


@dataclass(frozen=True)
class PivotExport:
    """The pivot as a file: a `tui.results.export.Export`."""

    rows: tuple[PivotRow, ...]
    names: Sequence[str]
    """The columns that the rows' figures are of."""
    choice: Choice
    title: str = "Export"
    usual: str = "pivot.xlsx"
    endings: Sequence[str] = tuple(ENDINGS)

    def summary(self) -> str:
        """Say what is in it."""
        published = any(row.level in BESIDE for row in self.rows)
        beside = ", published results below them" if published else ""
        cells = f"All cells, folded or not, with maxima{beside}."
        return "\n".join([cells, *choice_lines(self.choice)])

    def switched(self) -> None:
        """It has all of its columns."""

    def write(self, path: Path, on_progress: OnProgress) -> str:  # noqa: ARG002 -- as of all
        """Write the file. Raises `UserError` where it can't be."""
        write_named(path, format_pivot(self.rows, ENDINGS[path.suffix.lower()], self.names))
        return count(sum(row.is_cell for row in self.rows), "cell")
