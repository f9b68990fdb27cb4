"""Costs of earlier runs on this machine, for estimates of runs to come."""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any

from engine.marks import SHARED, of_times
from engine.rungs import PRUNED
from engine.store.database import fetch, json_object

if TYPE_CHECKING:
    from engine.spec import RunSpec

LATEST = 40
"""Number of newest runs of a cell that are considered."""

TAKEN = 3
"""Number of runs whose mean is an estimate."""

LENGTHS = 3
"""Number of other lengths that are considered, the nearest first."""

COSTLESS = frozenset(
    {
        *("epochs", "patience", "lr", "warmup_steps", "lr_decay", "weight_decay", "grad_clip"),
        *("label_smoothing", "gbce_calibration", "mask_ratio", "last_mask_share", "dropout"),
        *("gate_soft_cap", "logit_soft_cap", "norm_eps", "input_gate_bias"),
    }
)
"""Settings that change neither an epoch's time nor its memory by much."""


@dataclass(frozen=True, slots=True)
class Hardware:
    """The hardware of a run, as far as it decides the cost."""

    kind: str
    """``cpu`` or ``cuda``."""
    title: str
    """The GPU's name; it isn't compared on the CPU."""
    threads: int
    """Threads of each process; they aren't compared on a GPU."""
    processes: int = 1


@dataclass(frozen=True, slots=True)
class PastCost:
    """Costs of equal or similar runs; ``None`` where unknown."""

    epoch_seconds: float
    """Seconds of training and evaluation of an epoch: the runs' medians, averaged. Evaluation is
    what the estimated run has: a trial of a study has none of test."""
    run_seconds: float | None
    """Seconds of whole runs with the same limit of epochs and the same patience."""
    at_once: float
    """How many runs their processes trained meanwhile, on the average, these included."""
    memory_mib: float | None
    """Peak of one process on the GPU, or of the run's own part of one; on the CPU, resident."""
    length: int
    """The sequence length of those runs."""
    runs: int


def past_cost(
    con: sqlite3.Connection, spec: RunSpec, hardware: Hardware, *, packed: bool = False
) -> PastCost | None:
    """Estimate a run's costs from runs on this host, on like hardware and with like settings.

    They are runs of the same length, or else of the nearest; None if there are none.

    Args:
        packed: whether the run is to share a process with others: runs that did so come first.
    """
    wanted = cost_settings(spec.model_dump(mode="json"))
    rows = fetch(
        con, "SELECT DISTINCT length FROM runs WHERE model = ? AND dataset = ?",
        (spec.model, spec.dataset),
    )  # fmt: skip
    lengths = sorted((row[0] for row in rows), key=lambda n: (abs(n - spec.length), n))
    for length in lengths[: LENGTHS + 1]:
        if found := _alike(con, spec, length, wanted, hardware):
            return _cost(con, spec, length, found, hardware, packed=packed)
    return None


def cost_settings(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Take from a configuration (as JSON) the settings on which an epoch's cost depends."""
    return {
        key: value
        for section in ("architecture", "training")
        for key, value in spec.get(section, {}).items()
        if key not in COSTLESS
    }


@dataclass(frozen=True, slots=True)
class _Past:
    run: str
    attempt: int
    epoch_seconds: float
    whole: tuple[float, int, int] | None
    """Seconds, epochs and patience of one that came to its own end."""
    gpu_memory_mib: float | None
    packed: bool
    """Whether its process trained others, too."""
    disturbed: bool
    """Whether it is marked for its times, for another reason than those others."""
    scaled: bool
    """Whether only one of it and the estimated run is a trial of a study, so that its times are put
    into proportion."""

    def rank(self, *, packed: bool) -> int:
        """Return how little its times tell of a run that is, or isn't, to share its process."""
        return 4 * self.disturbed + 2 * (self.packed != packed) + self.scaled


def _alike(
    con: sqlite3.Connection,
    spec: RunSpec,
    length: int,
    wanted: Mapping[str, Any],
    hardware: Hardware,
) -> list[_Past]:
    """Find runs with like settings on like hardware, newest first."""
    rows = fetch(
        con,
        # By rowid, which an index holds: the newest without reading all of them.
        "WITH newest AS (SELECT rowid AS r FROM runs WHERE model = ? AND dataset = ?"
        " AND length = ? AND state IN ('done', 'running', 'cancelled')"
        " ORDER BY rowid DESC LIMIT ?)"
        " SELECT runs.id, a.attempt, s.train_seconds_median,"
        " ifnull(s.eval_seconds_median, 0) AS eval_seconds,"
        " ifnull(json_extract(e.fields, '$.valid_targets'),"
        " json_extract(e.fields, '$.valid_users')) AS valid_targets,"
        " ifnull(json_extract(e.fields, '$.test_targets'),"
        " json_extract(e.fields, '$.test_users')) AS test_targets,"
        " runs.state = 'done' AND runs.cause IS NOT ? AS whole, s.total_seconds,"
        " s.gpu_memory_mib_max, p.spec, a.device, runs.marks, a.worker"
        " FROM newest JOIN runs ON runs.rowid = newest.r JOIN specs p ON p.run = runs.id"
        " JOIN summaries s ON s.run = runs.id JOIN attempts a ON a.run = runs.id AND a.attempt ="
        " (SELECT max(attempt) FROM attempts WHERE run = runs.id AND started IS NOT NULL)"
        " LEFT JOIN events e ON e.run = runs.id AND e.attempt = a.attempt AND e.kind = 'start'"
        " WHERE s.train_seconds_median IS NOT NULL AND a.host = ? AND a.device_kind = ?"
        " AND (a.device_kind = 'cuda' OR a.threads = ?)"
        " AND ? = coalesce(json_extract(e.fields, '$.processes'), 1)"
        " ORDER BY newest.r DESC",
        (
            spec.model,
            spec.dataset,
            length,
            LATEST,
            PRUNED,
            socket.gethostname(),
            hardware.kind,
            hardware.threads,
            hardware.processes,
        ),
    )
    found: list[_Past] = []
    for row in rows:
        settings = json_object(row["spec"])
        if hardware.kind == "cuda" and row["device"] != hardware.title:
            continue
        if cost_settings(settings) == wanted:
            scale = _scale(row, settings, spec)
            training, whole = settings["training"], row["total_seconds"] if row["whole"] else None
            disturbances = set(of_times(row["marks"]))
            if packed := row["worker"] is not None and SHARED in disturbances:
                disturbances.remove(SHARED)
            past = _Past(
                row["id"],
                row["attempt"],
                (row["train_seconds_median"] + row["eval_seconds"]) * scale,
                whole and (whole * scale, training.get("epochs"), training.get("patience")),
                row["gpu_memory_mib_max"],
                packed,
                bool(disturbances),
                scale != 1.0,
            )
            found.append(past)
    return found


def _scale(row: sqlite3.Row, settings: Mapping[str, Any], spec: RunSpec) -> float:
    """Return what a run's times are to be multiplied by because only one of it and another run is a
    trial, which ranks nothing of test. Evaluation takes as long as it has targets."""
    is_trial, was_trial = spec.trial is not None, settings.get("trial") is not None
    if is_trial == was_trial:
        return 1.0
    training, evaluation = row["train_seconds_median"], row["eval_seconds"]
    valid, test = row["valid_targets"], row["test_targets"]
    both = 1 + (test / valid if valid and test else 1)
    other = evaluation / both if is_trial else evaluation * both
    seconds = training + evaluation
    return float((training + other) / seconds) if seconds else 1.0


def _cost(
    con: sqlite3.Connection,
    spec: RunSpec,
    length: int,
    found: list[_Past],
    hardware: Hardware,
    *,
    packed: bool,
) -> PastCost:
    found = sorted(found, key=lambda past: past.rank(packed=packed))[:TAKEN]
    goal = (spec.training.epochs, spec.training.patience)
    best = found[0].rank(packed=packed)
    timed = [past for past in found if past.rank(packed=packed) == best]
    whole = [past.whole[0] for past in timed if past.whole and past.whole[1:] == goal]
    column = "process_gpu_memory_mib" if hardware.kind == "cuda" else "process_memory_mib"

    def most(runs: list[_Past]) -> float | None:
        peaks = []
        for past in runs:
            sql = f"SELECT max({column}) FROM telemetry WHERE run = ? AND attempt = ?"  # noqa: S608
            own = fetch(con, sql, (past.run, past.attempt))[0][0]
            peaks.append(past.gpu_memory_mib if own is None and hardware.kind == "cuda" else own)
        return max((peak for peak in peaks if peak is not None), default=None)

    return PastCost(
        epoch_seconds=fmean(past.epoch_seconds for past in timed),
        run_seconds=fmean(whole) if whole else None,
        at_once=1 + fmean(_others(con, past) for past in timed),
        memory_mib=most(timed) or most(found),
        length=length,
        runs=len(timed),
    )


def _others(con: sqlite3.Connection, past: _Past) -> float:
    """Return how many processes and other runs were on a run's GPU meanwhile, on the average."""
    if not past.packed:
        return 0.0
    sql = "SELECT avg(gpu_others) FROM telemetry WHERE run = ? AND attempt = ?"
    return fetch(con, sql, (past.run, past.attempt))[0][0] or 0.0
