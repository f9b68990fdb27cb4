"""The columns of a comparison: names, kinds of value, and where the store has them.
 The reference table's twelve columns keep exactly its names. Metrics over all items and metrics
with the user's seen items masked have separate columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

from engine.errors import UsageError, did_you_mean
from engine.metrics import (
    CUTOFF_METRICS,
    EPOCH_MEASURES,
    REFERENCE_COLUMNS,
    RESULT_OF,
    Result,
    summary_of,
)
from engine.modelinfo.own_settings import ModelSetting, own_settings
from engine.spec.settings import every_setting

Aggregate = Literal["best", "max", "min", "last", "mean"]
AGGREGATES: tuple[Aggregate, ...] = get_args(Aggregate)
AGGREGATE_MEANING: dict[Aggregate, str] = {
    "best": "at the epoch chosen on validation",
    "max": "maximum over epochs (uses the test set)",
    "min": "minimum over epochs (uses the test set)",
    "last": "at the last epoch",
    "mean": "mean over epochs",
}

Kind = Literal["text", "whole", "metric", "seconds", "real", "rate", "trials", "tuning"]
"""``trials`` are whole and ``tuning`` is seconds, but for 0: `engine.budget.BY_HAND`."""
Value = str | int | float | None

SORT = "NDCG@10/test"
TIME_TO_QUALITY = "TimeToQuality"
ENERGY_TO_QUALITY = "EnergyToQuality (J)"
"""Columns that rows of a comparison have if they or a quality are asked for
(`engine.analysis.quality`)."""
STD = " (std)"
DIFFERENCE = " (difference)"
"""What follows a figure's name in the name of its difference to a baseline."""

RESULT_NAMES = {
    "hit": "HitRate",
    "mrr": "MRR",
    "ndcg": "NDCG",
    "recall": "Recall",
    "coverage": "Coverage",
    "arp": "ARP",
    "novelty": "Novelty",
    "gini": "Gini",
}
METRIC_NAMES = {metric: f"{RESULT_NAMES[metric]}@10" for metric in ("hit", "mrr", "ndcg", "recall")}
SEEN_MASKED = " (seen masked)"
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
        "EpochEnergy (J)",
        "EnergyToBest (J)",
        "TotalEnergy (J)",
        TIME_TO_QUALITY,
        ENERGY_TO_QUALITY,
        "GPU/Memory(MiB)",
        "GPU/Utilization(%)",
        "Users/s (batch 1)",
        "Users/s (batch 256)",
    }
)
"""Columns of time, energy, memory and speed. Where a run is marked for its times (`engine.marks`),
they are compared with nothing."""

BUDGET: dict[str, Kind] = {"Trials": "trials", "TuningTime": "tuning"}
"""Columns of the budget that settings were chosen with (`engine.budget`), and their kind."""

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

OF_TEST = (
    Column("test_users", "test_users", "whole"),
    Column("test_cold_users", "test_cold_users", "whole"),
    Column("test_targets", "test_targets", "whole"),
    Column("test_cold", "test_cold", "whole"),
    Column("ceiling", "ceiling", "metric"),
)
"""Users that are evaluated in test, those of them that training never had, their held-out items,
those of them that training never had, and the highest value that a metric can have
(`engine.evaluated`)."""

TO_QUALITY = (
    Column(TIME_TO_QUALITY, "seconds_to_quality", "seconds", "lower"),
    Column(ENERGY_TO_QUALITY, "joules_to_quality", "real", "lower"),
)

_SETTING_KINDS: dict[str, Kind] = {"whole": "whole", "real": "rate", "text": "text"}


def setting_columns() -> tuple[Column, ...]:
    """List the columns of settings, those of users' own models last."""
    return tuple(
        Column(title, title, _SETTING_KINDS[each.kind], setting=True)
        for title, each in every_setting().items()
    )


def columns(aggregate: Aggregate = "best") -> tuple[Column, ...]:
    """List the columns of a comparison that the store can sort by, in the order of the table."""
    return _columns(aggregate, own_settings())


@cache
def _columns(aggregate: Aggregate, _own: Sequence[ModelSetting]) -> tuple[Column, ...]:
    reference = [_column(name, measure, aggregate) for name, measure in REFERENCE_COLUMNS.items()]
    metrics = [
        _column(f"{name}/{split}{label}", f"{split}_{metric}{ranking}", aggregate)
        for split, ranking, label in (
            ("valid", "", ""),
            ("test", "_masked", SEEN_MASKED),
            ("valid", "_masked", SEEN_MASKED),
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
        Column("Trials", "tuned_trials", BUDGET["Trials"]),
        Column("TuningTime", "tuned_seconds", BUDGET["TuningTime"]),
        Column("EpochEnergy (J)", "joules_per_epoch", "real", "lower"),
        Column("EnergyToBest (J)", "joules_to_best", "real", "lower"),
        Column("TotalEnergy (J)", "joules", "real"),
        Column("Users/s (batch 1)", "users_per_second_1", "whole", "higher"),
        Column("Users/s (batch 256)", "users_per_second_256", "whole", "higher"),
        *result_columns(),
        *setting_columns(),
    )


def result_columns() -> tuple[Column, ...]:
    """List the columns of a finished run's results (`engine.metrics.RESULT_OF`), which are of its
    chosen epoch whatever the aggregate."""
    return tuple(result_column(result) for result in RESULT_OF.values())


def result_column(result: Result) -> Column:
    """Return the column of one of `engine.metrics.RESULT_OF`."""
    of = f"{RESULT_NAMES[result.metric]}@{result.k}"
    part = f"{result.scope} targets" if result.scope else ""
    words = ", ".join(filter(None, [part, "seen masked" if result.masked else ""]))
    name = f"{of}/test ({words})" if words else f"{of}/test"
    kind: Kind = "real" if result.metric in ("arp", "novelty") else "metric"
    return Column(name, result.name, kind, "higher" if result.metric in CUTOFF_METRICS else None)


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


def metric_name(metric: str, k: int = 10, *, masked: bool, split: str = "test") -> str:
    """Return the name of a metric's column, such as ``NDCG@10/test (seen masked)``."""
    return f"{RESULT_NAMES[metric]}@{k}/{split}" + (SEEN_MASKED if masked else "")


def kind_of(name: str) -> Kind:
    """Return the kind of the values under a row's key: how they are shown."""
    name = name.removesuffix(DIFFERENCE)
    if name == "seeds":
        return "whole"
    every = (*columns(), *OF_TEST, *TO_QUALITY)
    return next((entry.kind for entry in every if entry.name == name), "text")


def _column(name: str, measure: str, aggregate: Aggregate) -> Column:
    source = summary_of(measure, aggregate) if measure in EPOCH_MEASURES else measure
    is_metric = measure.startswith(("valid_", "test_"))
    better: Literal["higher", "lower"] | None = None
    if is_metric:
        better = "higher"
    elif measure in ("loss", "train_seconds", "cpu_seconds", "gpu_memory_mib"):
        better = "lower"
    return Column(name, source, "metric" if is_metric else _KINDS[measure], better)
