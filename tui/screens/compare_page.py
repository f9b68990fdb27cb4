"""Reading a page of the comparison, and drawing its rows. No widget here; read in a thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from engine.analysis.comparison import (
    Aggregate,
    Column,
    Value,
    columns,
    figure,
    split_heading,
)
from tui.states import glyph
from tui.text import plain
from tui.widgets.table_cells import WIDEST, Cell, TableColumn, TableRow

Leaders = Mapping[tuple[str, str], float]
"""The best figure among the runs that are done, by data set and the store's column."""

_HELD = ("state", "model", "dataset", "length", "seed")
_ORDER = (
    "NDCG@10/test",
    "Recall@10/test",
    "HitRate@10/test",
    "MRR@10/test",
    "NDCG@10/valid",
    "BestEpoch",
    "Total Epoch Trained",
    "EpochTime",
    "Loss/train (per target)",
    "Loss/train",
    "GradientNorm",
    "LearningRate",
    "Model/TotalParams",
    "GPU/Memory(MiB)",
    "GPU/Utilization(%)",
)
"""What is looked at first stands first; the columns not named here follow, then who the run is."""
_LAST = ("profile", "run")

_HEADINGS = {
    "state": ("", ""),
    "model": ("", "model"),
    "dataset": ("", "dataset"),
    "length": ("", "L"),
    "seed": ("", "seed"),
}
_WIDTHS = {"state": 1, "model": 8, "dataset": 9, "length": 3, "seed": 4, "run": 12}


@dataclass(frozen=True)
class Request:
    """What to read: which runs, in which order, which of them."""

    sources: tuple[str, ...]
    sort: str
    descending: bool
    filter: str
    start: int
    count: int


@dataclass(frozen=True)
class Page:
    """What was read: each run's figures by the store's column names."""

    request: Request
    total: int
    runs: tuple[Mapping[str, Value], ...]
    leaders: Leaders = field(default_factory=dict)


def screen_columns(aggregate: Aggregate) -> tuple[Column, ...]:
    """The comparison's columns in the order of the screen."""
    by_name = {column.name: column for column in columns(aggregate)}
    first = [*_HELD, *_ORDER]
    rest = [name for name in by_name if name not in first and name not in _LAST]
    return tuple(by_name[name] for name in (*first, *rest, *_LAST))


def table_columns(shown: Iterable[Column]) -> list[TableColumn]:
    """How the columns stand in the table."""
    result = []
    for column in shown:
        heading = _HEADINGS.get(column.name) or split_heading(column.name)
        width = max(len(heading[0]), len(heading[1]), _WIDTHS.get(column.name, 6))
        result.append(
            TableColumn(
                key=column.source,
                heading=heading,
                width=width,
                right=column.kind != "text",
                fixed=column.name in _HELD,
            )
        )
    return result


def read_page(con: sqlite3.Connection, request: Request) -> Page:
    """Count the runs that match, and read the asked ones."""
    from engine.store import queries

    total = queries.comparison_count(con, request.filter)
    start = max(0, min(request.start, total - 1))
    names = request.sources
    rows = queries.comparison(
        con,
        names,
        request.sort,
        request.descending,
        request.filter,
        request.count,
        start,
    )
    moved = Request(names, request.sort, request.descending, request.filter, start, request.count)
    return Page(moved, total, tuple(dict(zip(names, row, strict=True)) for row in rows))


def table_rows(
    runs: Sequence[Mapping[str, Value]], shown: Sequence[Column], leaders: Leaders
) -> list[TableRow]:
    """The table's rows, keyed by run id."""
    return [
        TableRow(str(run["id"]), tuple(_cell(run, column, leaders) for column in shown))
        for run in runs
    ]


def _cell(run: Mapping[str, Value], column: Column, leaders: Leaders) -> Cell:
    value = run[column.source]
    state = str(run["state"])
    if column.name == "state":
        return Cell(glyph(state), f"state-{state}")
    if value is None:
        return Cell("–", "muted")
    text = plain(figure(value, column.kind), WIDEST)
    if column.kind == "text":
        return Cell(text, "muted" if column.name in _LAST else "")
    if state == "done" and column.better:
        best = leaders.get((str(run["dataset"]), column.source))
        if best is not None and value == best:
            return Cell(text, "best")
    return Cell(text)
