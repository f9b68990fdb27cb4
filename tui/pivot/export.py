"""The pivot as a file."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from engine.analysis.comparison import AGGREGATE_MEANING, parse_aggregate
from engine.analysis.pivot.arranged import BESIDE, PivotRow
from engine.analysis.pivot.text import ENDINGS, format_pivot
from engine.atomic import write_atomically
from engine.store.compare.grouping import Choice
from tui.shell.text import PARAGRAPH, count, plain


@dataclass(frozen=True)
class PivotExport:
    """The pivot as a file: a `tui.results.export.Export`."""

    rows: tuple[PivotRow, ...]
    choice: Choice
    usual: str = "pivot.xlsx"
    endings: tuple[str, ...] = tuple(ENDINGS)

    def summary(self) -> str:
        """What is in it."""
        beside = (
            ", published figures below them" if any(r.level in BESIDE for r in self.rows) else ""
        )
        aggregate = parse_aggregate(self.choice.aggregate)
        parts = [
            f"All cells, folded or not, with maxima{beside}.",
            f"{aggregate.capitalize()}: {AGGREGATE_MEANING[aggregate]}.",
            *(
                [f"Only {plain(self.choice.filter, PARAGRAPH)}"]
                if self.choice.filter.strip()
                else []
            ),
        ]
        return "\n".join(parts)

    def write(self, con: sqlite3.Connection, path: Path) -> str:  # noqa: ARG002 - it is read
        """Write the file. Raises `OSError` where it can't be."""
        write_atomically(path, format_pivot(self.rows, ENDINGS[path.suffix.lower()]))
        return count(sum(row.is_cell for row in self.rows), "cell")
