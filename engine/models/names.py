"""Names that a model's settings can't have, since a word of runs would then have two meanings."""

from __future__ import annotations

from collections.abc import Iterable

from engine.metrics import (
    AGGREGATES,
    EPOCH_MEASURES,
    METRICS,
    RANKINGS,
    RESULT_OF,
    RUN_ENERGY,
    SPEEDS,
)
from engine.spec import RunSpec, Training

_OF_RUNS = {
    "age", "all", "attempt", "attempts", "best_energy", "best_epoch", "bestepoch", "cause",
    "ceiling", "checksum", "configuration", "cost", "cpu_time", "created", "cutoffs", "data",
    "default", "device", "energy_of", "energyof", "energytobest", "energytoquality", "epoch",
    "epoch_energy", "epoch_time", "epochcputime", "epochenergy", "epochs_trained", "epochtime",
    "eval_time", "fingerprint", "finished", "gpu", "grad", "gradientnorm", "id", "items",
    "joules_of", "joules_to_quality", "l", "label", "learning_rate", "learningrate", "mark",
    "marks", "memory", "message", "note", "origin", "parameters", "params", "protocol", "quality",
    "quality_energy", "quality_time", "queued", "refits", "run", "runs", "seconds_to_quality",
    "seeds", "settings", "split", "started", "state", "study", "suite", "tag", "tags", "test_cold",
    "test_cold_users", "test_targets", "test_users", "timetoquality", "torch", "total_energy",
    "total_seconds", "total_time", "totalenergy", "totaltime", "trials", "tuned_seconds",
    "tuned_trials", "tuning_time", "tuningtime", "utilization",
}  # fmt: skip
"""Columns, fields of the filter and presets of columns, in small letters."""

_MEASURES = frozenset(
    [
        *SPEEDS,
        *RUN_ENERGY,
        *(name for result in RESULT_OF.values() for name in (result.name, result.word)),
        *EPOCH_MEASURES,
        *(f"{measure}_{how}" for measure in EPOCH_MEASURES for how in (*AGGREGATES, "median")),
        *(f"{metric}{ranking}" for metric in METRICS for ranking in RANKINGS),
        *RESULT_OF,
        *(result.word for result in RESULT_OF.values()),
    ]
)


def name_problem(names: Iterable[str]) -> str:
    """Say which of a model's settings can't be called so, and why; empty if all can."""
    for name in names:
        word = name.lower()
        if word in Training.model_fields:
            return f"{name}: training has a setting of that name: call it otherwise."
        if word in RunSpec.model_fields or word in _OF_RUNS or word in _MEASURES:
            return f"{name}: runs have a column or field of that name: call it otherwise."
    return ""
