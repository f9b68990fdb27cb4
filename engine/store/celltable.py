"""Every cell of the comparison at once, with figures over its seeds: for tables that show them all.

The cells are those of `engine.store.grouping`; SQLite makes every figure, so that 100,000 runs are
a few hundred rows here.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.store.comparison import check_columns
from engine.store.database import fetch
from engine.store.grouping import KEYS, Choice, Spread, cell_name, picked_runs, places_of, spread_of

Measure = str | tuple[str, str]
"""A column of the comparison, or of two the first less the second, run by run."""


@dataclass(frozen=True, slots=True)
class OverSeeds:
    """A figure over the seeds of a cell."""

    spread: Spread
    lowest: float
    highest: float


@dataclass(frozen=True, slots=True)
class CellRow:
    """One cell."""

    cell: str
    """Its name, as in `engine.store.grouping`."""
    model: str
    dataset: str
    length: int
    profile: str
    settings: str
    checksum: str
    seeds: int
    run: str
    """The newest of its runs."""
    figures: Mapping[Measure, OverSeeds]
    """Of the measures that any of its runs has, and that are finite in all."""


def cell_table(
    con: sqlite3.Connection, choice: Choice, measures: Sequence[Measure]
) -> list[CellRow]:
    """All cells of the runs that are done and match, by model, data set, length, profile, settings
    and checksum.

    Raises:
        UsageError: an unknown column, or a filter that means nothing.
    """
    names = list(dict.fromkeys(name for measure in measures for name in _names(measure)))
    check_columns(names)
    chosen, parameters = picked_runs(choice)
    places, source = places_of(names)
    place_of = dict(zip(names, places, strict=True))
    values = [" - ".join(place_of[name] for name in _names(measure)) for measure in measures]
    sums = "".join(
        f", count({x}), total({x}), total(({x}) * ({x})), min({x}), max({x})" for x in values
    )
    keys = ", ".join(f"p.{name}" for name in KEYS)
    sql = f"""
        WITH picked AS MATERIALIZED ({chosen})
        SELECT {cell_name("p")}, {keys}, count(*), max(p.id){sums} FROM picked p {source}
        GROUP BY {keys} ORDER BY {keys}"""  # noqa: S608
    rows = []
    for cell, model, dataset, length, profile, settings, checksum, seeds, run, *sums_ in fetch(
        con, sql, parameters
    ):
        figures: dict[Measure, OverSeeds] = {}
        for place, measure in enumerate(measures):
            count, total, squares, lowest, highest = sums_[5 * place : 5 * place + 5]
            if math.isfinite(squares) and (known := spread_of(count, total, squares)):
                figures[measure] = OverSeeds(known, lowest, highest)
        rows.append(
            CellRow(
                cell, model, dataset, int(length), profile, settings, checksum, seeds, run, figures
            )
        )
    return rows


def _names(measure: Measure) -> tuple[str, ...]:
    return (measure,) if isinstance(measure, str) else measure
