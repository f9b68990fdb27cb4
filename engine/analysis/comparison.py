"""Runs side by side: the rows of a comparison, of runs or of cells."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from operator import itemgetter
from typing import Any, overload

from engine.analysis.columns.definitions import (
    FACTS,
    SORT,
    STD,
    TO_QUALITY,
    Aggregate,
    Column,
    Value,
    columns,
    parse_aggregate,
    setting_columns,
)
from engine.analysis.columns.offered import column_named
from engine.analysis.provenance import EVALUATED, PROVENANCE, provenance_of
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


@dataclass(frozen=True, eq=False)
class RunRows(Sequence[Row]):
    """Rows of runs, each made when it is asked for: very many runs have much in common.

    Attributes:
        first: names of the columns that begin a row.
        last: names of the columns that end it.
        values: each run's values of ``first`` and ``last``, and perhaps more.
        common: what stands between, in parts: each run's values of a part by the columns' names.
    """

    first: Sequence[str]
    last: Sequence[str]
    values: Sequence[Sequence[Any]]
    common: Sequence[Sequence[Mapping[str, Value]]]

    def __len__(self) -> int:
        return len(self.values)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> RunRows: ...
    def __getitem__(self, index: int | slice) -> Row | RunRows:
        if isinstance(index, slice):
            common = [part[index] for part in self.common]
            return replace(self, values=self.values[index], common=common)
        return self._row(self.values[index], [part[index] for part in self.common])

    def __iter__(self) -> Iterator[Row]:
        return map(self._row, self.values, zip(*self.common, strict=True))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    def _row(self, values: Sequence[Value], parts: Iterable[Mapping[str, Value]]) -> Row:
        finite = values if _INFINITE.isdisjoint(values) else list(map(_finite, values))
        row: Row = dict(zip(self.first, finite, strict=False))
        for part in parts:
            row |= part
        row |= zip(self.last, finite[len(self.first) :], strict=False)
        if "tags" in row:
            row["tags"] = _tags_text(row["tags"])
        return row

    @cached_property
    def part_of(self) -> dict[str, int]:
        """Number of the part in ``common`` by a column's name; none of an empty comparison."""
        parts = enumerate(self.common)
        return {name: number for number, part in parts for each in part[:1] for name in each}

    def column(self, name: str) -> list[Value]:
        """Return the runs' values of a column."""
        if not self.values:  # whatever it is called: an empty comparison has no parts
            return []
        if (part := self.part_of.get(name)) is not None:
            return list(map(itemgetter(name), self.common[part]))
        place = [*self.first, *self.last].index(name)
        values = list(map(itemgetter(place), self.values))
        if name == "tags":
            return list(map(_tags_text, values))
        kinds = set(map(type, values))
        if float not in kinds or (len(kinds) == 1 and math.isfinite(sum(values))):
            return values
        return list(map(_finite, values))


def column_of(rows: Sequence[Row], name: str) -> list[Value]:
    """Return the rows' values of a column."""
    return rows.column(name) if isinstance(rows, RunRows) else [row[name] for row in rows]


def compare_rows(
    con: sqlite3.Connection,
    *,
    aggregate: str = "best",
    filter: str = "",  # noqa: A002 - the command line's name for it
    sort: str | Column = SORT,
    descending: bool = True,
    limit: int | None = None,
    beside: Sequence[Column] = (),
    without: Sequence[str] = (),
) -> RunRows:
    """Read the matching runs, a row per run, with keys in the order of the columns.

    ``beside`` are further columns of the store, which follow; the tags of a run are one text.
    ``sort`` is a column's name, or any column that the store knows. Rows that tie are in the order
    of their run ids. The rows depend on the run folders alone, so that a rebuilt store gives the
    same ones. A figure that isn't known is None. ``without`` are ids of runs to leave out.

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
        without=without,
    )
    unknown = dict.fromkeys(PROVENANCE)
    origins = provenance_of(con, [str(values[0]) for values in found])
    settings = {
        configuration: {**values, "aggregate": chosen}
        for configuration, values in read_settings(con, {values[-1] for values in found}).items()
    }
    return RunRows(
        [entry.name for entry in figures],
        [entry.name for entry in beside],
        found,
        (
            [settings[values[-1]] for values in found],
            [origins.get(str(values[0]), unknown) for values in found],
        ),
    )


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
        first |= {name: runs[0].get(name) for name in EVALUATED}
        first["seeds"] = len(runs)
        for name in (column.name for column in TO_QUALITY if column.name in runs[0]):
            # Without those that never were as good, the mean would flatter the cell.
            taken = [row[name] for row in runs]
            _put(first, name, spread(taken if None not in taken else []))
        for name in measured:
            _put(first, name, spread(row[name] for row in runs))
        first |= {entry.name: runs[0].get(entry.name) for entry in setting_columns()}
        for name in beside:
            first.setdefault(name, runs[0][name] if len({row[name] for row in runs}) == 1 else None)
        found.append(first)
    return found


def _put(row: Row, name: str, figure: Spread | None) -> None:
    row[name] = figure.mean if figure else None
    row[name + STD] = figure.deviation if figure else None


def _finite(value: Value) -> Value:
    return None if isinstance(value, float) and not math.isfinite(value) else value


@lru_cache
def _tags_text(stored: Value) -> str:
    return " ".join(parse_tags(stored))
