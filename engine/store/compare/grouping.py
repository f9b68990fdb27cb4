"""Cells and their figures, made by SQLite.

`counted` is the only place that decides which runs a cell's values are computed from. Only runs
that are done count, and of a seed that ran more than once the run with the last id. Imported runs
count where they are asked for, and then are cells of their own. What a cell is says `engine.cell`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import astuple, dataclass

from engine.cell import FIELDS, Cell
from engine.marks import in_order, of_times
from engine.spread import Spread, finite, spread, spread_of_sums
from engine.store.compare.comparison import (
    SQL,
    check_columns,
    column_sql,
    known_settings,
    matching,
    place_of,
)
from engine.store.compare.computed import TO_QUALITY
from engine.store.database import fetch

Measure = str | tuple[str, str]
"""A column of the comparison; or two columns, for the first less the second run by run."""

_TEXTS = frozenset((
    "id", "suite", "state", "device", "fingerprint", "cause", "message", "note", "tags",
    "origin", "marks", "configuration", "refits", "study",
    "trial",
))  # fmt: skip
"""Columns that have no mean, beside settings that are texts."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which runs are grouped into cells; fields as in `engine.store.compare.comparison`."""

    filter: str = ""
    aggregate: str = "best"
    without: tuple[str, ...] = ()
    imported: bool = False
    """Whether cells are made of imported runs too."""


@dataclass(frozen=True, slots=True)
class OverSeeds:
    """A measure over the seeds of a cell, with its minimum and maximum."""

    spread: Spread
    lowest: float
    highest: float


@dataclass(frozen=True, slots=True)
class CellRow:
    """A cell with measures over its seeds."""

    cell: Cell
    seeds: int
    run: str
    """The newest of its runs."""
    figures: Mapping[Measure, OverSeeds]
    """By measure; measures that none of its runs has are left out."""


def cell_table(
    con: sqlite3.Connection,
    choice: Choice,
    measures: Sequence[Measure],
    cells: Sequence[str] | None = None,
) -> list[CellRow]:
    """Read all cells, or those of some names, in their order, with figures over their seeds.

    Figures that are no finite numbers are left out.

    Raises:
        UsageError: an unknown column, or a filter that means nothing.
    """
    each = ", count({0}), total({0}), total({0} * {0}), min({0}), max({0})"
    grouped = f"GROUP BY {KEY} ORDER BY {KEY}"
    sql, parameters = _of_runs(choice, measures, cells, ", count(*), max(p.id)", each, grouped)
    found: dict[Cell, dict[Measure, OverSeeds]] = {}
    unsure: dict[Measure, list[Cell]] = {}
    rows = []
    for row in map(tuple, fetch(con, sql, parameters)):
        cell = Cell(*row[: len(FIELDS)])
        seeds, run, *sums_of = row[len(FIELDS) :]
        figures = found[cell] = {}
        for place, measure in enumerate(measures):
            count, total, squares, lowest, highest = sums_of[5 * place : 5 * place + 5]
            if not count or (measure in TO_QUALITY and count < seeds):
                continue
            if known := spread_of_sums(count, total, squares, lowest, highest):
                figures[measure] = OverSeeds(known, lowest, highest)
            else:
                unsure.setdefault(measure, []).append(cell)
        rows.append(CellRow(cell, seeds, run, figures))
    for measure, cells_of in unsure.items():
        for cell, over in _read_again(con, choice, measure, cells_of).items():
            found[cell][measure] = over
    return rows


def _read_again(
    con: sqlite3.Connection, choice: Choice, measure: Measure, cells: Sequence[Cell]
) -> dict[Cell, OverSeeds]:
    """Compute a measure of cells from the values of their runs, where sums have too few digits."""
    sql, parameters = _of_runs(choice, [measure], [cell.name for cell in cells], "", ", {}", "")
    values: dict[Cell, list[float]] = {cell: [] for cell in cells}
    for *key, figure in map(tuple, fetch(con, sql, parameters)):
        values[Cell(*key)] += finite([figure])
    return {
        cell: OverSeeds(known, min(some), max(some))
        for cell, some in values.items()
        if (known := spread(some))
    }


def _of_runs(
    choice: Choice,
    measures: Sequence[Measure],
    cells: Collection[str] | None,
    first: str,
    each: str,
    last: str,
) -> tuple[str, list[object]]:
    """Write a query for measures of the runs that count, of all cells or of those with some names.

    Args:
        first: columns after the cell's own.
        each: columns for each measure, ``{0}`` being its value.
        last: what follows the choice of runs.
    """
    names = list(dict.fromkeys(name for measure in measures for name in _names(measure)))
    check_columns(names)
    picked, parameters = counted(choice)
    places, source = places_of(names)
    place = dict(zip(names, places, strict=True))
    terms = (f"({' - '.join(place[name] for name in _names(measure))})" for measure in measures)
    columns = first + "".join(map(each.format, terms))
    where = ""
    if cells is not None:
        where = f"WHERE {among()}"
        parameters.append(keys_of(cells))
    sql = (
        f"WITH picked AS MATERIALIZED ({picked})"  # noqa: S608
        f" SELECT {KEY}{columns} FROM picked p {source} {where} {last}"
    )
    return sql, parameters


def cell_figures(
    con: sqlite3.Connection, choice: Choice, cells: Sequence[str], columns: Sequence[str]
) -> dict[str, dict[str, Spread]]:
    """Read mean and deviation of the columns that have one, by the names of cells.

    Raises:
        UsageError: an unknown column, or a filter that means nothing.
    """
    check_columns(columns)
    measured = [name for name in columns if has_mean(name)]
    found: dict[str, dict[str, Spread]] = {cell: {} for cell in cells}
    if cells and measured:
        for row in cell_table(con, choice, measured, cells):
            figures = {str(name): each.spread for name, each in row.figures.items()}
            found[row.cell.name] = figures
    return found


def runs_of_cell(con: sqlite3.Connection, choice: Choice, cell: str) -> list[str]:
    """List the ids of a cell's runs, by seed."""
    picked, parameters = counted(choice)
    same = " AND ".join(f"{name} = ?" for name in FIELDS)
    sql = f"SELECT id FROM ({picked}) WHERE {same} ORDER BY seed"  # noqa: S608
    return [row[0] for row in fetch(con, sql, (*parameters, *astuple(Cell.named(cell))))]


def cells_of_places(
    con: sqlite3.Connection, choice: Choice, places: Collection[tuple[str, str, int]]
) -> dict[Cell, str]:
    """Map the cells of some models, data sets and lengths to the newest run of each.

    Raises:
        UsageError: a filter that means nothing.
    """
    picked, parameters = counted(choice, places)
    sql = f"SELECT {KEY}, max(p.id) FROM ({picked}) p GROUP BY {KEY}"  # noqa: S608
    return {Cell(*key): run for *key, run in map(tuple, fetch(con, sql, parameters))}


def counted_runs(
    con: sqlite3.Connection,
    choice: Choice,
    places: Collection[tuple[str, str, int]] | None = None,
) -> dict[str, Cell]:
    """Map the id of each run that counts to its cell; ``places`` as for `counted`.

    Raises:
        UsageError: a filter that means nothing.
    """
    picked, parameters = counted(choice, places)
    sql = f"SELECT {KEY}, p.id FROM ({picked}) p"  # noqa: S608
    return {run: Cell(*key) for *key, run in map(tuple, fetch(con, sql, parameters))}


def cell_counts(con: sqlite3.Connection, choice: Choice) -> dict[str, tuple[int, int]]:
    """Count the cells of each data set, and their runs.

    Raises:
        UsageError: a filter that means nothing.
    """
    picked, parameters = counted(choice)
    cells = f"SELECT p.dataset, count(*) AS runs FROM ({picked}) p GROUP BY {KEY}"  # noqa: S608
    sql = f"SELECT dataset, count(*), sum(runs) FROM ({cells}) GROUP BY dataset"  # noqa: S608
    return {name: (cells, runs) for name, cells, runs in map(tuple, fetch(con, sql, parameters))}


def cells_marked(con: sqlite3.Connection, choice: Choice) -> dict[Cell, tuple[str, ...]]:
    """Read which cells have a run that counts with marks (`engine.marks`), and which.

    Raises:
        UsageError: a filter that means nothing.
    """
    if not fetch(con, "SELECT 1 FROM runs WHERE marks > '' LIMIT 1"):
        return {}
    picked, parameters = counted(choice)
    rows = fetch(
        con,
        f"SELECT {KEY}, group_concat(DISTINCT r.marks) FROM ({picked}) p"  # noqa: S608
        f" JOIN runs r ON r.id = p.id WHERE r.marks > '' GROUP BY {KEY}",
        parameters,
    )
    return {
        Cell(*key): in_order(marks.replace(",", " ").split()) for *key, marks in map(tuple, rows)
    }


def refitted_cells(con: sqlite3.Connection, choice: Choice) -> frozenset[Cell]:
    """Read which cells have runs that count and were trained with validation included.

    Raises:
        UsageError: a filter that means nothing.
    """
    if not fetch(con, "SELECT 1 FROM runs WHERE refits IS NOT NULL LIMIT 1"):
        return frozenset()
    picked, parameters = counted(choice)
    rows = fetch(
        con,
        f"SELECT DISTINCT {KEY} FROM ({picked}) p"  # noqa: S608
        " JOIN runs r ON r.id = p.id WHERE r.refits IS NOT NULL",
        parameters,
    )
    return frozenset(Cell(*key) for key in map(tuple, rows))


def marked_for_times(con: sqlite3.Connection) -> list[str]:
    """List what stands in the column ``marks`` of runs, as far as it holds marks of times."""
    every = fetch(con, "SELECT DISTINCT marks FROM runs WHERE marks > ''")
    return [marks for (marks,) in map(tuple, every) if of_times(marks)]


def imported_left_out(con: sqlite3.Connection, choice: Choice) -> int:
    """Count the imported runs that match and are left out of cells."""
    if choice.imported:
        return 0
    where, parameters = matching(choice.filter, choice.aggregate, choice.without)
    sql = f"SELECT count(*) FROM cell_runs r WHERE r.origin <> '' AND {where}"  # noqa: S608
    return int(fetch(con, sql, parameters)[0][0])


def counted(
    choice: Choice, places: Collection[tuple[str, str, int]] | None = None
) -> tuple[str, list[object]]:
    """Write a query for the runs that count, one a seed, with the fields of their cells.

    Args:
        places: models, data sets and lengths to which they are limited.

    Returns:
        SQL and its parameters.
    """
    where, parameters = matching(choice.filter, choice.aggregate, choice.without)
    names = "r.model, r.dataset, r.length, r.profile"
    own = "" if choice.imported else " AND r.origin = ''"
    if places is not None:
        own += (
            " AND (r.model, r.dataset, r.length) IN (SELECT json_extract(value, '$[0]'),"
            " json_extract(value, '$[1]'), json_extract(value, '$[2]') FROM json_each(?))"
        )
        parameters = [*parameters, json.dumps(list(places))]
    sql = (
        f"SELECT max(r.id) AS id, {names}, ifnull(r.settings, '') AS settings,"  # noqa: S608
        f" ifnull(r.checksum, '') AS checksum, r.seed FROM cell_runs r WHERE {where}{own}"
        f" GROUP BY {names}, r.settings, r.checksum, r.seed"
    )
    return sql, parameters


def places_of(names: Sequence[str]) -> tuple[list[str], str]:
    """Write SQL for columns of the comparison, and for joining them to a table ``p`` of run ids."""
    places, joins = [], {}
    for name in names:
        column = column_sql(name)
        place = place_of(column)
        places.append(column if place == "r" else f"{place}.{name}")
        joins[place] = (
            "CROSS JOIN runs r ON r.id = p.id"
            if place == "r"
            else f"CROSS JOIN summaries {place} INDEXED BY {place} ON {place}.run = p.id"
        )
    return places, " ".join(joins.values())


KEY = ", ".join(f"p.{name}" for name in FIELDS)
"""SQL for what names a cell, from a table ``p``."""


def among() -> str:
    """Write SQL for whether a row of ``p`` is of a cell in the parameter that `keys_of` makes."""
    wanted = ", ".join(f"json_extract(value, '$[{n}]')" for n in range(len(FIELDS)))
    return f"({KEY}) IN (SELECT {wanted} FROM json_each(?))"  # noqa: S608


def keys_of(names: Collection[str]) -> str:
    """Write the parameter of `among` for cells with some names."""
    return json.dumps([astuple(Cell.named(name)) for name in names])


def has_mean(name: str) -> bool:
    """Whether a column of the comparison is a number of which cells have a mean."""
    if name in SQL:
        return name not in _TEXTS and name not in (*FIELDS, "seed")
    return known_settings()[name].kind != "text"


def _names(measure: Measure) -> tuple[str, ...]:
    return (measure,) if isinstance(measure, str) else measure
