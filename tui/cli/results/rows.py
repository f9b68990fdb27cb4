"""The rows of ``seqbench compare``, of runs or of cells: which columns, and putting them out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engine.analysis.columns.definitions import kind_of
from engine.analysis.columns.offered import DEFAULT, chosen_columns, of_figures, row_names
from engine.analysis.comparison import Row
from engine.analysis.export import FOR_PROGRAMS, rows_content
from engine.analysis.floor import COLUMN_STANDING, FLOOR_COLUMNS
from engine.analysis.pivot.arranged import COLUMNS
from engine.errors import UsageError
from tui.cli.results.tables import put
from tui.cli.session import note
from tui.shell.text import ago


def columns_of(words: Sequence[str], format_: str, *, wide: bool) -> list[str] | None:
    """Name the columns that are asked for, after those that name a row; None for all.

    Raises `UsageError` for a word that is no column's name.
    """
    if words:
        return list(chosen_columns(words, FLOOR_COLUMNS))
    return None if wide or format_ in FOR_PROGRAMS else list(DEFAULT)


def pivot_columns_of(words: Sequence[str]) -> tuple[str, ...]:
    """Name the pivot's columns: those that are asked for, and else the reference table's.

    Raises:
        UsageError: a word is no column's name, or no column has numbers.
    """
    if not words:
        return COLUMNS
    names = chosen_columns(words)
    kept = of_figures(names)
    absent = ", ".join(name for name in names if name not in kept)
    if not kept:
        raise UsageError(f"{absent or 'Nothing'}: the pivot has columns of numbers alone.")
    if absent:
        note(f"The pivot has no {absent}: columns of numbers alone.")
    return kept


def put_rows(
    rows: Sequence[Row],
    format_: str,
    names: Sequence[str] | None,
    asked: Sequence[str],
    output: Path | None,
    width: int | None,
) -> None:
    """Put runs or cells out.

    Args:
        names: the columns after those that name a row; None for all.
        asked: what was typed for them.
        width: cells of the terminal that a table must fit, if any.

    Raises:
        UsageError: cells have none of the columns.
    """
    if names is not None:
        cells = bool(rows) and "seeds" in rows[0]
        absent = [name for name in names if rows and name not in rows[0]]
        if asked and absent:
            if len(absent) == len(names):
                raise UsageError(f"{', '.join(absent)}: columns of runs alone, leave --by-cell.")
            note(f"Cells have no {', '.join(absent)}: columns of runs alone.")
        elif cells and not asked:
            names = [name for name in names if kind_of(name) != "text" or name == COLUMN_STANDING]
        names = row_names(names, cells=cells)
    if format_ == "table":
        rows = [_for_people(row) for row in rows]
    put(rows_content(rows, format_, names, width), output)


def _for_people(row: Row) -> Row:
    moment, found = row.get("age"), {**row}
    if isinstance(moment, int | float):
        found["age"] = ago(moment)
    if "seeds" not in row and row.get("refits"):
        found["model"] = f"{row['model']} refit"
    return found
