"""The columns of the comparison: which there are, in which order, and what is kept of that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from engine.analysis.comparison import Aggregate, Column, columns, split_heading
from engine.analysis.meanings import meaning
from tui.widgets.table_cells import TableColumn

TOPIC = "compare"
"""Where `tui.shell.remembered` keeps the chosen columns."""

HELD = ("state", "model", "dataset", "length", "seed")
"""Stay at the left edge, always."""

_ORDER = (
    "NDCG@10/test",
    "Recall@10/test",
    "HitRate@10/test",
    "MRR@10/test",
    "NDCG@10/valid",
    "BestEpoch",
    "Total Epoch Trained",
    "EpochTime",
    "EpochCPUTime",
    "Loss/train (per target)",
    "Loss/train",
    "GradientNorm",
    "LearningRate",
    "Model/TotalParams",
    "GPU/Memory(MiB)",
    "GPU/Utilization(%)",
)
"""Columns that stand first after those at the left; the others follow, then who the run is."""

EXTRA = (
    Column("tags", "tags", "text"),
    Column("note", "note", "text"),
    Column("suite", "suite", "text"),
    Column("device", "device", "text"),
    Column("queued", "created", "text"),
)
"""Columns of the screen alone."""

_LAST = ("tags", "note", "profile", "run")
_AT_FIRST_HIDDEN = frozenset({"origin", "marks", "suite", "device", "queued"})
QUIET = frozenset({*_LAST, *_AT_FIRST_HIDDEN})
"""Who a run is, rather than how it did."""

_HEADINGS = {
    "state": ("", ""),
    "model": ("", "model"),
    "dataset": ("", "dataset"),
    "length": ("", "L"),
    "seed": ("", "seed"),
}
_WIDTHS = {"state": 1, "model": 8, "dataset": 9, "length": 3, "seed": 4, "run": 12, "note": 12}
_SPREAD = 15
"""Cells of ``0.1612 ±0.0004``."""


@cache
def every_column(aggregate: Aggregate) -> dict[str, Column]:
    """Return all that can be shown, by name, in the order in which they are offered."""
    by_name = {column.name: column for column in (*columns(aggregate), *EXTRA)}
    first = [*HELD, *_ORDER]
    hidden = [name for name in by_name if name in _AT_FIRST_HIDDEN]
    settings = [name for name, column in by_name.items() if column.setting]
    rest = [name for name in by_name if name not in {*first, *_LAST, *hidden, *settings}]
    return {name: by_name[name] for name in (*first, *rest, *_LAST, *hidden, *settings)}


def choosable() -> list[str]:
    """Name the columns that may be shown or not, in the order in which they are offered."""
    return [name for name in every_column("best") if name not in HELD]


def usual() -> list[str]:
    """Name those that are shown until someone chooses."""
    every = every_column("best")
    return [
        name for name in choosable() if name not in _AT_FIRST_HIDDEN and not every[name].setting
    ]


def known(names: object) -> tuple[str, ...]:
    """Return those of the names that are columns, each once; the usual ones where none is."""
    texts = (
        dict.fromkeys(name for name in names if isinstance(name, str))
        if isinstance(names, list)
        else ()
    )
    return tuple(name for name in texts if name in choosable()) or tuple(usual())


def screen_columns(aggregate: Aggregate, names: Sequence[str] | None = None) -> tuple[Column, ...]:
    """Return the comparison's columns in the order of the screen."""
    every = every_column(aggregate)
    return tuple(every[name] for name in (*HELD, *(usual() if names is None else names)))


def column_topics(
    shown: Iterable[Column], source: str, aggregate: Aggregate
) -> Iterator[tuple[str, str]]:
    """Explain the shown column of that source: its name, and what it means."""
    for column in shown:
        if column.source == source:
            yield column.name, meaning(column, aggregate)


def table_columns(shown: Iterable[Column], *, grouped: bool = False) -> list[TableColumn]:
    """Say how the columns stand in the table; ``grouped`` with one row a cell."""
    result = []
    for column in shown:
        heading = _HEADINGS.get(column.name) or split_heading(column.name)
        if grouped and column.name == "seed":
            heading = ("", "seeds")
        held = column.name in HELD
        least = _SPREAD if grouped and not held and column.kind != "text" else 6
        width = max(len(heading[0]), len(heading[1]), _WIDTHS.get(column.name, least))
        result.append(
            TableColumn(
                key=column.source,
                heading=heading,
                width=width,
                right=column.kind != "text",
                fixed=held,
            )
        )
    return result
