"""The list of a comparison's columns: which can be shown, in which order, by default, in presets.

App, commands and exports read it here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import cache

from engine.analysis.columns.definitions import (
    ENERGY_TO_QUALITY,
    OF_TEST,
    TIME_TO_QUALITY,
    TO_QUALITY,
    Aggregate,
    Column,
    columns,
    kind_of,
    metric_name,
    result_column,
    result_columns,
)
from engine.errors import UsageError, cut, nearest
from engine.metrics import CUTOFFS, LIST_MEASURES, SCOPE_METRICS, SCOPES, Result
from engine.modelinfo.own_settings import ModelSetting, own_settings
from engine.store.compare.filter_sql import field_columns

HELD = ("state", "model", "dataset", "length", "seed")
"""Columns that name a row: always shown, and first."""

_OF_CELLS = ("model", "dataset", "length", "label", "seeds")
"""Columns that name a row of cells."""

DEFAULT = (
    "NDCG@10/test",
    "Recall@10/test",
    "MRR@10/test",
    "BestEpoch",
    "TotalTime",
    "age",
    "tags",
    "run",
)
"""Columns shown after `HELD` until someone chooses; the most important first."""

_PRESETS = {
    "default": DEFAULT,
    "quality": (
        "NDCG@10/test",
        "Recall@10/test",
        "MRR@10/test",
        "NDCG@10/valid",
        "Recall@10/valid",
        "MRR@10/valid",
        "NDCG@10/test (seen masked)",
        "BestEpoch",
    ),
    "cost": (
        "NDCG@10/test",
        "TotalTime",
        TIME_TO_QUALITY,
        "EpochTime",
        "EpochCPUTime",
        "EpochEnergy (J)",
        "EnergyToBest (J)",
        ENERGY_TO_QUALITY,
        "TotalEnergy (J)",
        "EnergyOf",
        "Total Epoch Trained",
        "GPU/Memory(MiB)",
        "GPU/Utilization(%)",
        "Model/TotalParams",
        "Users/s (batch 1)",
        "Users/s (batch 256)",
    ),
    "training": (
        "NDCG@10/test",
        "NDCG@10/valid",
        "BestEpoch",
        "Total Epoch Trained",
        "Loss/train (per target)",
        "GradientNorm",
        "LearningRate",
        "profile",
    ),
    "cutoffs": tuple(
        metric_name(metric, k, masked=False) for metric in ("ndcg", "recall") for k in CUTOFFS
    ),
    "items": tuple(
        result_column(result).name
        for result in (
            *(Result(metric, scope=scope) for metric in SCOPE_METRICS for scope in SCOPES),
            *(Result(measure) for measure in LIST_MEASURES),
        )
    ),
}
"""Columns after `HELD` by the preset's name. HitRate@10 equals Recall@10 and stands in none."""

PRESETS = (*_PRESETS, "all")

_WRITTEN = (
    Column("tags", "tags", "text"),
    Column("note", "note", "text"),
    Column("suite", "suite", "text"),
    Column("refits", "refits", "text"),
    Column("device", "device", "text"),
    Column("EnergyOf", "joules_of", "text"),
    Column("age", "created", "text"),
    *OF_TEST,
)
"""Columns of each run beside those of `columns`."""

_LAST = ("age", "tags", "note", "profile", "run", "origin", "refits", "marks", "suite", "device")
QUIET = frozenset(_LAST)
"""Columns that tell who a run is rather than how well it did."""

_EXAMPLES = f"ndcg, lr or age, or a preset: {', '.join(PRESETS)}"
"""What is named to someone whose word is near no column's name."""

_RENAMED = {"queued": "age"}
"""Names that columns had in earlier versions, and have in what users stored."""


def beside_columns(aggregate: Aggregate, names: Collection[str] = ()) -> list[Column]:
    """Return the columns that rows have beside those of `columns`: of `TO_QUALITY`, which take
    all epochs of all runs, those among ``names``."""
    own = columns(aggregate)
    return [
        column
        for column in every_column(aggregate).values()
        if column not in own and (column not in TO_QUALITY or column.name in names)
    ]


def shared_names(beside: Iterable[Column]) -> list[str]:
    """Name those of some columns that a cell has where its runs agree."""
    return [column.name for column in beside if column.name != "age"]


def row_names(names: Sequence[str], *, cells: bool) -> list[str]:
    """Put the columns that name a row of runs or of cells before others."""
    return [*(_OF_CELLS if cells else HELD), *names]


def every_column(aggregate: Aggregate) -> dict[str, Column]:
    """Return all columns that can be shown, by name, in the order in which they are offered."""
    return _offered(aggregate, own_settings())


@cache
def _offered(aggregate: Aggregate, _own: Sequence[ModelSetting]) -> dict[str, Column]:
    by_name = {column.name: column for column in (*columns(aggregate), *_WRITTEN, *TO_QUALITY)}
    later = {*_LAST, *(column.name for column in result_columns())}
    first = dict.fromkeys(
        [*HELD, *(name for some in _PRESETS.values() for name in some if name not in later)]
    )
    rest = [name for name in by_name if name not in first and name not in _LAST]
    return {name: by_name[name] for name in (*first, *rest, *_LAST)}


def choosable() -> list[str]:
    """List the columns that may be shown or hidden, in the order in which they are offered."""
    return [name for name in every_column("best") if name not in HELD]


def preset(name: str) -> tuple[str, ...]:
    """Return the columns of one of `PRESETS`, without `HELD`."""
    return tuple(choosable()) if name == "all" else _PRESETS[name]


def of_figures(names: Iterable[str]) -> tuple[str, ...]:
    """Return those of some columns that have numbers, of which cells have means."""
    return tuple(name for name in names if kind_of(name) != "text")


def stored_columns(names: object, default: Sequence[str] = DEFAULT) -> tuple[str, ...]:
    """Return those of some stored names that are columns, each once; ``default`` where none is.

    Args:
        names: what was read from a file, of any kind.
    """
    texts = [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
    known = set(choosable())
    found = dict.fromkeys(_RENAMED.get(name, name) for name in texts)
    return tuple(name for name in found if name in known) or tuple(default)


def chosen_columns(words: Iterable[str], beside: Collection[str] = ()) -> tuple[str, ...]:
    """Return the columns that a user names, each once, without `HELD`.

    Args:
        words: names of columns as `column_named` takes them, `PRESETS` and ``beside``, in any case.
        beside: further keys of rows that may be named, in lower case.

    Raises:
        UsageError: a word is neither; says the nearest.
    """
    found: dict[str, None] = {}
    for word in map(str.strip, words):
        if word.lower() in PRESETS:
            found |= dict.fromkeys(preset(word.lower()))
        elif word.lower() in beside:
            found[word.lower()] = None
        else:
            found[column_named(word).name] = None
    return tuple(name for name in found if name not in HELD)


def sort_column(text: str, aggregate: Aggregate) -> tuple[Column, bool]:
    """Return the column that rows are sorted by, and whether its highest value comes first.

    Args:
        text: such as ``NDCG@10/test``, ``epochtime:asc``, ``age:desc``; the highest first unless
            it says otherwise.

    Raises:
        UsageError: there is no such column; says the nearest.
    """
    name, colon, direction = text.rpartition(":")
    if not colon or direction.lower() not in ("asc", "desc"):
        name, direction = text, "desc"
    return column_named(name, aggregate), direction.lower() == "desc"


def column_named(word: str, aggregate: Aggregate = "best") -> Column:
    """Find a column by its name, with or without its unit, the store's, or that of a filter's
    field, in any case.

    Raises:
        UsageError: there is none; says the nearest.
    """
    offered = every_column(aggregate)
    by_source = {column.source.lower(): name for name, column in offered.items()}
    fields = field_columns(aggregate).items()
    by_word = {field: by_source[source] for field, source in fields if source in by_source}
    by_word |= by_source | {name.lower().removesuffix(" (j)"): name for name in offered}
    by_word |= {name.lower(): name for name in offered} | _RENAMED
    wanted = word.strip().lower()
    if name := by_word.get(wanted):
        return offered[name]
    near = nearest(wanted, [*by_word, *PRESETS])
    named = near and next((name for name in offered if name.lower() == near), near)
    hint = f"did you mean {named!r}?" if named else f"name one such as {_EXAMPLES}."
    raise UsageError(f"there is no column {cut(word, 30)!r}: {hint}")


def shown_columns(aggregate: Aggregate, names: Sequence[str] = DEFAULT) -> tuple[Column, ...]:
    """Return `HELD` and the named columns, in that order."""
    every = every_column(aggregate)
    return tuple(every[name] for name in (*HELD, *names))
