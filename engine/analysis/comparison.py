"""Runs side by side: the rows of a comparison, of runs or of cells."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from engine.analysis.columns.definitions import (
    FACTS,
    SETTING_COLUMNS,
    SORT,
    STD,
    TIME_TO_QUALITY,
    Aggregate,
    Column,
    Value,
    columns,
    parse_aggregate,
)
from engine.analysis.columns.offered import column_named
from engine.analysis.provenance import PROVENANCE, provenance_of
from engine.cell import Cell
from engine.marks import in_order
from engine.spread import Spread, spread
from engine.store.compare.comparison import comparison
from engine.store.settings import read_settings
from engine.store.tags import parse_tags

COMPARABLE = ("dataset", "protocol", "split", "checksum")
"""Columns in which runs must be equal to be compared: the same test users in the same order."""

Row = dict[str, Value]

_INFINITE = frozenset({math.inf, -math.inf})
_PLACE = ("model", "dataset", "length")
_CELL = ("profile", "settings", "aggregate", "protocol", "split", "checksum")


def compare_rows(
    con: sqlite3.Connection,
    *,
    aggregate: str = "best",
    filter: str = "",  # noqa: A002 - the command line's name for it
    sort: str | Column = SORT,
    descending: bool = True,
    limit: int | None = None,
    beside: Sequence[Column] = (),
) -> list[Row]:
    """Read the matching runs, one dict per run, with keys in the order of the columns.

    ``beside`` are further columns of the store, which follow; the tags of a run are one text.
    ``sort`` is a column's name, or any column that the store knows. Rows that tie are in the order
    of their run ids. The rows depend on the run folders alone, so that a rebuilt store gives the
    same ones. A figure that isn't known is None.

    Raises:
        UsageError: an aggregate or a column that isn't known, or a filter that means nothing.
    """
    chosen = parse_aggregate(aggregate)
    beside = [entry for entry in beside if entry.name not in column_names(chosen)]
    figures = [entry for entry in columns(chosen) if not entry.setting]
    sources = [*(entry.source for entry in (*figures, *beside)), "configuration"]
    order = sort.source if isinstance(sort, Column) else column_named(sort, chosen).source
    found = comparison(
        con,
        sources,
        order,
        descending,
        filter,
        -1 if limit is None else limit,
        aggregate=chosen,
    )
    names, unknown = [entry.name for entry in figures], dict.fromkeys(PROVENANCE)
    origins = provenance_of(con, [str(values[0]) for values in found])
    settings = read_settings(con, {values[-1] for values in found})
    tags = cache(_tags_text)
    rows: list[Row] = []
    for values in found:
        finite = values if _INFINITE.isdisjoint(values) else map(_finite, values)
        row: Row = dict(zip(names, finite, strict=False))
        row |= settings[values[-1]]
        row["aggregate"] = chosen
        row |= origins.get(str(values[0]), unknown)
        for entry, value in zip(beside, values[len(figures) : -1], strict=True):
            row[entry.name] = tags(value) if entry.source == "tags" else value
        rows.append(row)
    return rows


def column_names(aggregate: Aggregate = "best") -> list[str]:
    """List the keys of a row of `compare_rows`."""
    return [entry.name for entry in columns(aggregate)] + ["aggregate", *PROVENANCE]


def runs_by_cell(rows: Iterable[Row], cells: Mapping[str, Cell]) -> dict[Cell, list[Row]]:
    """Group the rows of runs that count by their cell, in the order of the cells' first runs.

    Args:
        cells: which runs count, and for which cell (`engine.store.compare.grouping.counted_runs`).
    """
    groups: dict[Cell, list[Row]] = {}
    for row in rows:
        if cell := cells.get(str(row["run"])):
            groups.setdefault(cell, []).append(row)
    return groups


def by_cell(
    rows: Iterable[Row],
    cells: Mapping[str, Cell],
    labels: Mapping[Cell, str] | None = None,
    beside: Sequence[str] = (),
) -> list[Row]:
    """Average runs over seeds: one row a cell, in the order of the cells' first runs.

    Each figure has its mean, and its sample standard deviation under the same name with `STD`.

    Args:
        cells: as for `runs_by_cell`.
        labels: what tells cells apart (`engine.analysis.labels.words`); nothing does if not given.
        beside: further columns of the rows; a cell has the value that all its runs have.
    """
    measured = [
        entry.name
        for entry in columns()
        if entry.kind != "text" and entry not in FACTS and not entry.setting
    ]
    found: list[Row] = []
    for cell, runs in runs_by_cell(rows, cells).items():
        first: Row = {name: runs[0][name] for name in _PLACE}
        first["label"] = (labels or {}).get(cell, "")
        first |= {name: runs[0][name] for name in _CELL}
        words = " ".join(str(run["marks"] or "") for run in runs)
        told = any(run["marks"] is not None for run in runs)
        first |= {"marks": " ".join(in_order(words.split())) if told else None}
        first |= {name: runs[0].get(name) for name in ("test_users", "ceiling")}
        first["seeds"] = len(runs)
        if TIME_TO_QUALITY in runs[0]:
            # Without those that never were as good, the mean would flatter the cell.
            times = [row[TIME_TO_QUALITY] for row in runs]
            _put(first, TIME_TO_QUALITY, spread(times if None not in times else []))
        for name in measured:
            _put(first, name, spread(row[name] for row in runs))
        first |= {entry.name: runs[0].get(entry.name) for entry in SETTING_COLUMNS}
        for name in beside:
            first.setdefault(name, runs[0][name] if len({row[name] for row in runs}) == 1 else None)
        found.append(first)
    return found


def _put(row: Row, name: str, figure: Spread | None) -> None:
    row[name] = figure.mean if figure else None
    row[name + STD] = figure.deviation if figure else None


def _tags_text(stored: Value) -> str:
    return " ".join(parse_tags(stored))


def _finite(value: Value) -> Value:
    return None if isinstance(value, float) and not math.isfinite(value) else value
