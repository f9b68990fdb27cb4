"""What an attempt writes that trains nothing: believable journal lines, in a believable mix."""

from __future__ import annotations

import math
import os
import random
from collections.abc import Iterator
from typing import Any

from engine.journal import FORMAT, Kind
from engine.metrics import METRIC_COLUMNS
from engine.process import own_identity

STEPS_PER_EPOCH = 95
LINES_PER_EPOCH = STEPS_PER_EPOCH + 4
"""Steps, two samples of the machine, an epoch and its checkpoint."""

_LEVEL = {"hit": 0.13, "recall": 0.13, "mrr": 0.05, "ndcg": 0.065}
"""Where each metric at 10 ends on MovieLens 100K; with seen items masked, half as much again."""

Line = tuple[Kind, dict[str, Any]]


def start_line(attempt: int, epochs: int, resumed: int = 0) -> Line:
    """The first line of this process's attempt, which goes on after epoch ``resumed``."""
    identity = own_identity()
    return "start", {
        "format": FORMAT,
        "attempt": attempt,
        "pid": identity.pid,
        "boot_id": identity.boot_id,
        "start_ticks": identity.start_ticks,
        "host": os.uname().nodename,
        "device": "Stand-in",
        "device_kind": "cpu",
        "dtype": "bfloat16",
        "threads": 1,
        "torch": "2.13.0",
        "python": "3.11.7",
        "code": "0.1.0",
        "checksum": "8f0c" * 16,
        "users": 943,
        "items": 1_682,
        "interactions": 100_000,
        "parameters": 270_291,
        "epochs": epochs,
        "patience": 10,
        "steps_per_epoch": STEPS_PER_EPOCH,
        "resumed_epoch": resumed,
    }


def training_lines(chance: random.Random, resumed: int = 0) -> Iterator[Line]:
    """Line after line of the epochs after ``resumed``, without end."""
    epoch = resumed
    while True:
        epoch += 1
        for index in range(STEPS_PER_EPOCH):
            yield step_line(chance, epoch, index)
            if index % 32 == 31:
                yield telemetry_line(chance)
        yield epoch_line(chance, epoch)
        yield "checkpoint", {"epoch": epoch, "file": "checkpoint-1.pt", "sha256": "0" * 64}


def step_line(chance: random.Random, epoch: int, index: int) -> Line:
    """Update ``index`` (from 0) of an epoch."""
    step = (epoch - 1) * STEPS_PER_EPOCH + index + 1
    loss = _loss(step) + chance.gauss(0, 0.1)
    norm = abs(chance.gauss(1.4, 0.3))
    return "step", {"step": step, "epoch": epoch, "loss": loss, "grad_norm": norm, "lr": 0.001}


def telemetry_line(chance: random.Random) -> Line:
    """A machine without a GPU."""
    gpu = ("gpu_utilization", "gpu_memory_mib", "gpu_memory_total_mib", "gpu_power_w")
    return "telemetry", {
        **dict.fromkeys((*gpu, "gpu_temperature_c", "process_gpu_memory_mib")),
        "cpu_percent": round(chance.uniform(70, 100), 1),
        "memory_used_mib": round(chance.uniform(5_000, 6_000), 1),
        "memory_total_mib": 16_384.0,
        "process_cpu_percent": round(chance.uniform(90, 100), 1),
        "process_memory_mib": 448.0,
    }


def epoch_line(chance: random.Random, epoch: int) -> Line:
    """An epoch whose metrics rise to their level and stay there."""
    reached = 1 - math.exp(-epoch / 4)
    metrics = {name: reached * _level(name) + chance.gauss(0, 0.0004) for name in METRIC_COLUMNS}
    step = epoch * STEPS_PER_EPOCH
    return "epoch", {
        **metrics,
        "epoch": epoch,
        "step": step,
        "loss": _loss(step),
        "loss_sum": _loss(step) * 767,
        "grad_norm": 1.4,
        "lr": 0.001,
        "train_seconds": round(chance.uniform(4.0, 4.4), 3),
        "eval_seconds": round(chance.uniform(0.3, 0.4), 3),
        "gpu_memory_mib": None,
        "gpu_utilization": None,
        "targets": 98_114,
        "batches": STEPS_PER_EPOCH,
        "best_epoch": epoch,
    }


def end_line(status: str, cause: str, message: str) -> Line:
    """The last line; ``status`` as `engine.journal.EndStatus`."""
    return "end", {"status": status, "cause": cause, "message": message}


def stamped(lines: Iterator[Line], t: float, seconds: float) -> Iterator[dict[str, Any]]:
    """The lines as a journal has them, ``seconds`` apart from wall time ``t`` on."""
    for seq, (kind, fields) in enumerate(lines):
        yield {"seq": seq, "t": round(t + seq * seconds, 3), "kind": kind, **fields}


def _loss(step: int) -> float:
    return 5.1 + 2.2 * math.exp(-step / 300)


def _level(name: str) -> float:
    split, metric, *masked = name.split("_")
    return _LEVEL[metric] * (1.08 if split == "valid" else 1.0) * (1.5 if masked else 1.0)
