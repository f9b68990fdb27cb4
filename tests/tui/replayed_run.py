"""A run of two attempts with telemetry, warnings and a log, as a worker writes them."""

from __future__ import annotations

import random
from typing import Any

from live_runs import NOW, LiveStore, epoch_line, start, step

EPOCH_SECONDS = 4.0
GAP = 3600.0
"""Seconds between the attempts."""


def replayed_run(store: LiveStore, *, gpu: bool = False, log_sizes: bool = True) -> str:
    """Six epochs, of which the second attempt did the last two; 16 s and 8 s."""
    run = store.launch("sasrec", seed=5)
    store.mark(run, "running")
    size = 0

    def tell(text: str) -> dict[str, Any]:
        nonlocal size
        store.log(run, text)
        size += len(text.encode())
        return {"log_bytes": size} if log_sizes else {}

    began = NOW - 20_000
    lines = [{**start(epochs=6), "t": began, **tell("")}]
    lines += trained(range(1, 5), began, gpu)
    saved = {"kind": "checkpoint", "t": began + 16, "epoch": 4, "file": "", "sha256": ""}
    lines.append({**saved, **tell("compiled the model\nread 2,000 users\n")})
    store.journal(run, lines)
    again = began + 16 + GAP
    store.mark(run, "running", 2)
    tell("killed from outside\n")
    lines = [{**start(epochs=6, resumed_epoch=4), "t": again, **tell("")}]
    lines += trained(range(5, 7), again, gpu)
    warning = {"kind": "warning", "t": again + 5, "message": "the disk is 96 % full"}
    end = {"kind": "end", "t": again + 8, "status": "done", "cause": "completed",
           "message": "All epochs are trained.", "best_epoch": 6, "epochs_trained": 6,
           "seconds": 24.0}  # fmt: skip
    tell("[red]done\x1b[2J\n")
    store.journal(run, [*lines, warning, end], 2)
    return run


def trained(epochs: range, began: float, gpu: bool) -> list[dict[str, Any]]:
    """Steps, telemetry every two seconds, and the epochs' own lines."""
    chance = random.Random(epochs.start)
    lines = []
    for epoch in epochs:
        first = began + (epoch - epochs.start) * EPOCH_SECONDS
        for part in range(8):
            t = first + part * EPOCH_SECONDS / 8
            lines.append({**step(epoch, 1 + 5 * part, chance), "t": t})
            if part % 4 == 3:
                lines.append({"kind": "telemetry", "t": t + 0.1, **devices(chance, gpu)})
        lines.append({**epoch_line(epoch, chance), "t": first + EPOCH_SECONDS})
    return lines


def devices(chance: random.Random, gpu: bool) -> dict[str, float | None]:
    found: dict[str, float | None] = {
        "cpu_percent": round(40 + 30 * chance.random()),
        "memory_used_mib": 6_000 + round(2_000 * chance.random()),
        "memory_total_mib": 24_576,
        "process_cpu_percent": round(150 + 40 * chance.random()),
        "process_memory_mib": 800,
    }
    if gpu:
        found |= {
            "gpu_utilization": round(60 + 40 * chance.random()),
            "gpu_memory_mib": 20_000,
            "gpu_memory_total_mib": 81_920,
            "gpu_power_w": round(300 + 200 * chance.random()),
            "gpu_temperature_c": 61,
            "process_gpu_memory_mib": None,
        }
    return found
