"""Runs side by side: which columns there are, under which names, and the rows of a comparison.
 The reference table's twelve columns keep exactly its names. Metrics over all items and metrics
with the user's seen items masked have separate columns.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Literal, get_args

from engine.analysis.provenance import PROVENANCE, provenance_of
from engine.cell import Cell
from engine.errors import UsageError, did_you_mean
from engine.marks import in_order
from engine.metrics import EPOCH_MEASURES, REFERENCE_COLUMNS, summary_of
from engine.spec.settings import SETTINGS
from engine.spread import Spread, spread
from engine.store.compare.comparison import comparison
from engine.store.settings import read_settings
from engine.store.tags import parse_tags

Aggregate = Literal["best", "max", "min", "last", "mean"]
AGGREGATES: tuple[Aggregate, ...] = get_args(Aggregate)
AGGREGATE_MEANING: dict[Aggregate, str] = {
    "best": "at the epoch chosen on validation",
    "max": "maximum over epochs (uses the test set)",
    "min": "minimum over epochs (uses the test set)",
    "last": "at the last epoch",
    "mean": "mean over epochs",
}

COMPARABLE = ("dataset", "protocol", "split", "checksum")
"""Columns in which runs must be equal to be compared: the same test users in the same order."""

Kind = Literal["text", "whole", "metric", "seconds", "real", "rate"]
Value = str | int | float | None
Row = dict[str, Value]

_INFINITE = frozenset({math.inf, -math.inf})
SORT = "NDCG@10/test"
TIME_TO_QUALITY = "TimeToQuality"
"""Column that rows have if a quality was asked for (`engine.analysis.quality`)."""

METRIC_NAMES = {"hit": "HitRate@10", "mrr": "MRR@10", "ndcg": "NDCG@10", "recall": "Recall@10"}
_KINDS: dict[str, Kind] = {
    "train_seconds": "seconds",
    "eval_seconds": "seconds",
    "cpu_seconds": "seconds",
    "gpu_memory_mib": "whole",
    "gpu_utilization": "whole",
    "lr": "rate",
    "parameters": "whole",
    "epochs_trained": "whole",
    "grad_norm": "real",
    "loss": "real",
    "loss_sum": "real",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a comparison."""

    name: str
    source: str
    """Its name in `engine.store.compare.comparison.comparison`."""
    kind: Kind
    better: Literal["higher", "lower"] | None = None
    """Which end of it is good, where one is."""
    setting: bool = False
    """Whether it is a setting (`engine.spec.settings`), which the runs of a cell have in common."""


COSTS = frozenset(
    {
        "EpochTime",
        "EpochCPUTime",
        "TotalTime",
        "GPU/Memory(MiB)",
        "GPU/Utilization(%)",
        "Users/s (batch 1)",
        "Users/s (batch 256)",
    }
)
"""Columns of time, memory and speed. Where a run is marked for its times (`engine.marks`), they are
compared with nothing."""

FACTS = (
    Column("run", "id", "text"),
    Column("model", "model", "text"),
    Column("dataset", "dataset", "text"),
    Column("length", "length", "whole"),
    Column("seed", "seed", "whole"),
    Column("profile", "profile", "text"),
    Column("state", "state", "text"),
    Column("origin", "origin", "text"),
    Column("marks", "marks", "text"),
)

_SETTING_KINDS: dict[str, Kind] = {"whole": "whole", "real": "rate", "text": "text"}
SETTING_COLUMNS = tuple(
    Column(title, title, _SETTING_KINDS[each.kind], setting=True)
    for title, each in SETTINGS.items()
)


@cache
def columns(aggregate: Aggregate = "best") -> tuple[Column, ...]:
    """List the columns of a comparison that the store can sort by, in the order of the table."""
    reference = [_column(name, measure, aggregate) for name, measure in REFERENCE_COLUMNS.items()]
    metrics = [
        _column(f"{name}/{split}{label}", f"{split}_{metric}{ranking}", aggregate)
        for split, ranking, label in (
            ("valid", "", ""),
            ("test", "_masked", " (seen masked)"),
            ("valid", "_masked", " (seen masked)"),
        )
        for metric, name in METRIC_NAMES.items()
    ]
    return (
        *FACTS,
        *reference,
        *metrics,
        _column("Loss/train (per target)", "loss", aggregate),
        _column("EpochCPUTime", "cpu_seconds", aggregate),
        Column("BestEpoch", "best_epoch", "whole"),
        Column("TotalTime", "total_seconds", "seconds"),
        Column("Users/s (batch 1)", "users_per_second_1", "whole", "higher"),
        Column("Users/s (batch 256)", "users_per_second_256", "whole", "higher"),
        *SETTING_COLUMNS,
    )


def column(name: str, aggregate: Aggregate = "best") -> Column:
    """Find a column by its name, in any case, or by the store's.

    Raises:
        UsageError: there is none; says the nearest.
    """
    wanted = name.strip().lower()
    for candidate in columns(aggregate):
        if wanted in (candidate.name.lower(), candidate.source.lower()):
            return candidate
    known = [candidate.name for candidate in columns(aggregate)]
    raise UsageError(f"there is no column {name!r} to sort by: {did_you_mean(name, known)}")


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
    order = sort.source if isinstance(sort, Column) else column(sort, chosen).source
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


def parse_aggregate(text: str) -> Aggregate:
    """Find an aggregate by its name, in any case. Raises `UsageError`."""
    for aggregate in AGGREGATES:
        if text.strip().lower() == aggregate:
            return aggregate
    raise UsageError(f"there is no aggregate {text!r}: {did_you_mean(text, AGGREGATES)}")


def epochs_words(aggregate: Aggregate) -> str:
    """Say how a run's epochs are aggregated, including times (`engine.metrics.summary_of`)."""
    times = "" if aggregate == "max" else "; times are medians over epochs"
    return f"{AGGREGATE_MEANING[aggregate]}{times}"


def column_names(aggregate: Aggregate = "best") -> list[str]:
    """List the keys of a row of `compare_rows`."""
    return [entry.name for entry in columns(aggregate)] + ["aggregate", *PROVENANCE]


def metric_name(metric: str, *, masked: bool, split: str = "test") -> str:
    """Return the name of a metric's column, such as ``NDCG@10/test (seen masked)``."""
    return f"{METRIC_NAMES[metric]}/{split}" + (" (seen masked)" if masked else "")


def kind_of(name: str) -> Kind:
    """Return the kind of the values under a row's key: how they are shown."""
    if name in ("seeds", "test_users"):
        return "whole"
    if name == TIME_TO_QUALITY:
        return "seconds"
    if name == "ceiling":
        return "metric"
    return next((entry.kind for entry in columns() if entry.name == name), "text")


def figure(value: Value, kind: Kind) -> str:
    """Format a value for people: a metric with four digits, thousands apart; ``–`` for None."""
    if value is None:
        return "–"
    if isinstance(value, str) or kind == "text":
        return str(value)
    if not math.isfinite(value):
        return str(value)
    match kind:
        case "whole":
            return f"{round(value):,}"
        case "metric":
            return f"{value:.4f}"
        case "seconds":  # an epoch on a GPU may take hundredths
            return f"{value:,.2f}" if abs(value) >= 1 else f"{value:.3f}"
        case "rate":
            return f"{value:.4g}"
        case _:
            return f"{value:,.2f}" if abs(value) >= 100 else f"{value:.3f}"


def spread_text(spread: Spread | None, kind: Kind, none: str = "–") -> str:
    """Format as ``0.1612 ± 0.0004``; ``none`` for None."""
    if spread is None:
        return none
    return with_deviation(figure(spread.mean, kind), spread.deviation, kind)


def short_spread_text(spread: Spread | None, kind: Kind) -> str:
    """Format as ``0.1612 ±0.0004``, for narrow columns, without a deviation of 0."""
    if spread is None:
        return "–"
    return with_deviation(figure(spread.mean, kind), spread.deviation or None, kind, " ±")


def with_deviation(text: str, deviation: float | None, kind: Kind, sign: str = " ± ") -> str:
    """Append a deviation to a value's text, with as many decimals as the text has.

    A learning rate and its deviation have the decimals of the rate's four digits, without zeros at
    the end of both. None is left out, and so is what is 0 for whole numbers and learning rates.
    """
    if deviation is None or (deviation == 0 and kind == "whole"):
        return text
    if kind == "rate":
        mean = Decimal(text)
        decimals = max(0, 3 - mean.adjusted())
        both = [f"{each:.{decimals}f}" for each in (mean, deviation)]
        if not float(both[1]):
            return text
        while "." in both[0] and all(each.endswith("0") for each in both):
            both = [each[:-1] for each in both]
        return sign.join(each.removesuffix(".") for each in both)
    return f"{text}{sign}{deviation:,.{len(text.partition('.')[2])}f}"


def signed(value: float, digits: int = 4) -> str:
    """Format with a sign and ``digits`` decimals: ``+0.0012``, ``−0.0012``; 0 has no sign."""
    return with_sign(f"{abs(value):.{digits}f}", value)


def with_sign(text: str, value: float) -> str:
    """Put the sign of a value before the text of its amount, unless that shows only zeros."""
    if not any(digit in text for digit in "123456789"):
        return text
    return ("+" if value > 0 else "−") + text


def split_heading(name: str) -> tuple[str, str]:
    """Split a column's name into two lines, so that narrow values have a narrow column."""
    if " (" in name:
        first, _, second = name.rpartition(" (")
        return first, f"({second}"
    if name == "Total Epoch Trained":
        return "Total Epoch", "Trained"
    first, slash, second = name.partition("/")
    return (first, slash + second) if slash else ("", name)


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


STD = " (std)"
_PLACE = ("model", "dataset", "length")
_CELL = ("profile", "settings", "aggregate", "protocol", "split", "checksum")


def _column(name: str, measure: str, aggregate: Aggregate) -> Column:
    source = summary_of(measure, aggregate) if measure in EPOCH_MEASURES else measure
    is_metric = measure.startswith(("valid_", "test_"))
    better: Literal["higher", "lower"] | None = None
    if is_metric:
        better = "higher"
    elif measure in ("loss", "train_seconds", "cpu_seconds", "gpu_memory_mib"):
        better = "lower"
    return Column(name, source, "metric" if is_metric else _KINDS[measure], better)


def _tags_text(stored: Value) -> str:
    return " ".join(parse_tags(stored))


def _finite(value: Value) -> Value:
    return None if isinstance(value, float) and not math.isfinite(value) else value
