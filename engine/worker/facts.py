"""What the journal's ``start`` says of an attempt: its identity, its provenance, and sizes."""

from __future__ import annotations

import math
import os
import socket
import sys
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import torch

from engine.datasets.prepared import Prepared, ids_checksum
from engine.datasets.splitting.splits import run_split
from engine.datasets.splitting.statistics import split_counts
from engine.errors import UserError
from engine.journal import FORMAT
from engine.models.definition import Definition
from engine.process import own_identity, parent_identity
from engine.runfolder import RunFolder
from engine.spec import RunSpec, parameter_count
from engine.training.chosen import Chosen
from engine.training.loop import limits
from engine.training.setup import steps_per_epoch, training_histories, uses_bfloat16
from engine.worker.provenance import device_name, slurm_job, software
from engine.worker.resume import Resumption


def start_facts(
    folder: RunFolder,
    attempt: int,
    spec: RunSpec,
    definition: Definition,
    data: Prepared,
    device: torch.device,
    begin: Resumption,
    chosen: Chosen | None,
    processes: int,
) -> dict[str, Any]:
    """Return the fields of the journal's ``start``: identity, provenance and sizes."""
    interactions = data.interactions
    split = run_split(interactions, spec)
    counts = split_counts(split)
    histories = training_histories(split, torch.device("cpu"))
    epochs, patience = limits(spec, definition, chosen)
    valid = {
        "valid_users": counts.valid,
        "valid_targets": counts.valid_targets,
        "valid_cold": counts.valid_cold,
        "valid_cold_users": counts.valid_cold_users,
        "valid_without_history": counts.valid_without_history,
        "valid_ceiling": counts.valid_ceiling,
        "valid_tied": counts.valid_tied,
        "valid_from": counts.valid_from,
    }
    return {
        "format": FORMAT,
        "run": folder.run_id,
        "attempt": attempt,
        **asdict(own_identity() if processes == 1 else parent_identity()),
        "host": socket.gethostname(),
        "device": device_name(device, processes),
        "device_kind": device.type,
        "dtype": "bfloat16" if uses_bfloat16(spec.training, device) else "float32",
        "threads": torch.get_num_threads(),
        "processes": processes,
        "niceness": os.getpriority(os.PRIO_PROCESS, 0),
        **software(),
        "model_file": spec.code and spec.code.model_dump(),
        **({"job": job} if (job := slurm_job(os.environ)) else {}),
        "checksum": begin.checksum,
        "ids": ids_checksum(data),
        "users": len(interactions.offsets) - 1,
        "items": interactions.num_items,
        "interactions": len(interactions.items),
        "train_interactions": counts.train,
        **(valid if chosen is None else {"refits": spec.refits, "chosen": asdict(chosen)}),
        "test_users": counts.test,
        "test_targets": counts.test_targets,
        "test_cold": counts.test_cold,
        "test_cold_users": counts.test_cold_users,
        "test_without_history": counts.test_without_history,
        "test_ceiling": counts.test_ceiling,
        "test_tied": counts.test_tied,
        "test_from": counts.test_from,
        "parameters": _parameters(spec, definition, interactions.num_items),
        "epochs": epochs,
        "patience": patience if math.isfinite(patience) else None,
        "steps_per_epoch": steps_per_epoch(spec, definition, histories),
        "resumed_epoch": begin.checkpoint.epoch if begin.checkpoint else 0,
        "log_bytes": log_bytes(folder),
    }


def _parameters(spec: RunSpec, definition: Definition, items: int) -> int:
    """Return what is known of the parameter count, because counting may take seconds."""
    try:
        return parameter_count(spec, items=items, wait=False)
    except UserError:
        return definition.parameters(spec.architecture.settings, items, spec.length)


def log_bytes(folder: RunFolder) -> int | None:
    """Return the log's size, which dates its lines, that have no times, to within a checkpoint;
    ``None`` if there is no log."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    try:
        return folder.log.stat().st_size
    except OSError:
        return None
