"""Journals as a worker writes them, and what a store made of them."""

from __future__ import annotations

import json
from typing import Any

from engine.metrics import EPOCH_MEASURES
from engine.store.database import StoreConnection


def epoch_fields(epoch: int, steps: int = 3, lead: float = 0.0) -> dict[str, Any]:
    values = {name: lead + epoch + index / 100 for index, name in enumerate(EPOCH_MEASURES)}
    return {
        **values,
        "epoch": epoch,
        "step": epoch * steps,
        "targets": 100,
        "batches": steps,
        "best_epoch": epoch,
        "gpu_memory_mib": None,
        "gpu_utilization": None,
    }


def journal_lines(
    attempt: int = 1,
    epochs: range = range(1, 4),
    steps: int = 3,
    end: str | None = "done",
    resumed: int = 0,
    t: float = 1_000_000.0,
    lead: float = 0.0,
) -> list[dict[str, Any]]:
    """The lines of one attempt, in order, as a worker writes them."""
    lines: list[dict[str, Any]] = [
        {
            "kind": "start",
            "format": 1,
            "attempt": attempt,
            "pid": 4_000_000 + attempt,
            "boot_id": "another-boot",
            "start_ticks": 7,
            "host": "elsewhere",
            "device": "A CPU",
            "device_kind": "cpu",
            "dtype": "float32",
            "threads": 1,
            "parameters": 117_813,
            "epochs": 9,
            "patience": 10,
            "steps_per_epoch": steps,
            "resumed_epoch": resumed,
        }
    ]
    for epoch in epochs:
        for step in range((epoch - 1) * steps + 1, epoch * steps + 1):
            figures = {"loss": 5.0 + lead, "grad_norm": 1.0, "lr": 0.001}
            lines.append({"kind": "step", "step": step, "epoch": epoch, **figures})
        lines.append({"kind": "telemetry", "cpu_percent": 50.0, "gpu_power_w": None})
        lines.append({"kind": "epoch", **epoch_fields(epoch, steps, lead)})
        checkpoint = {"file": f"checkpoint-{attempt}.pt", "sha256": "0" * 64}
        lines.append({"kind": "checkpoint", "epoch": epoch, **checkpoint})
    lines.append({"kind": "heartbeat"})
    if end:
        lines.append({"kind": "end", "status": end, "cause": "completed", "message": "Ended."})
    return [
        {"seq": seq, "t": t + attempt * 1000 + seq / 2, **line} for seq, line in enumerate(lines)
    ]


def to_bytes(lines: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def dump(connection: StoreConnection) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that a rebuild has to give back, table by table."""
    tables = (
        *("runs", "epochs", "steps", "telemetry", "events", "summaries", "warnings", "settings"),
    )
    found = {
        table: [tuple(row) for row in connection.rows(f"SELECT * FROM {table} ORDER BY 1, 2, 3")]
        for table in tables
    }
    # These count writes, and say nothing of the run.
    bookkeeping = ("revision", "saved")
    columns = [row[1] for row in connection.rows("PRAGMA table_info(runs)")]
    keep = [index for index, name in enumerate(columns) if name not in bookkeeping]
    found["runs"] = [tuple(row[index] for index in keep) for row in found["runs"]]
    found["attempts"] = [
        tuple(row)
        for row in connection.rows(
            "SELECT run, attempt, slot, host, launched, status, started, ended, offset, device,"
            " epochs, resumed_epoch, epoch, step, cause, message FROM attempts ORDER BY 1, 2"
        )
    ]
    return found
