"""What two processes train together, for the tests.

Every case in ``cases.json`` is trained, from its checkpoint where it has one; the first process
leaves beside it what came out.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from own_models import OWN

from engine.datasets.load import load_interactions
from engine.errors import DataError
from engine.models.registry import definition_of
from engine.spec import RunSpec
from engine.training import loop
from engine.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from engine.training.group import SINGLE, Group, join
from engine.training.recorder import EpochRecord, StepRecord
from engine.worker.distributed import check_same_data

CPU = torch.device("cpu")


BUSY = "sampled"
"""The case in which the second process computes much more than the first, at each update."""
BUSY_SECONDS = 0.05


def compute() -> bool:
    """Take `BUSY_SECONDS` of the processor; asked whether to stop, say no."""
    end = time.process_time() + BUSY_SECONDS
    while time.process_time() < end:
        pass
    return False


@dataclass
class Memory:
    steps_: list[StepRecord] = field(default_factory=list)
    epochs: list[EpochRecord] = field(default_factory=list)

    def steps(self, records: list[StepRecord]) -> None:
        self.steps_ += records

    def epoch(self, record: EpochRecord) -> None:
        self.epochs.append(record)


def trained(
    spec: RunSpec, folder: Path, name: str, resume: Path | None = None, group: Group = SINGLE
) -> dict[str, Any]:
    """Train, leaving a checkpoint of every epoch in ``folder``; what came out."""

    def save(checkpoint: Checkpoint) -> None:
        if group.rank == 0:
            save_checkpoint(folder / f"{name}-{checkpoint.epoch}.pt", checkpoint)

    memory = Memory()
    outcome = loop.train(
        spec,
        OWN if spec.code else definition_of(spec),
        load_interactions(spec.source),
        CPU,
        memory,
        resume=load_checkpoint(resume, spec.fingerprint()) if resume else None,
        save=save,
        stop=compute if group.rank and name == BUSY else lambda: False,
        group=group,
    )
    return {
        "steps": [(step.loss, step.grad_norm) for step in memory.steps_],
        "epochs": [asdict(epoch) for epoch in memory.epochs],
        "weights": outcome.best.model,
        "ranks": outcome.test_ranks,
        "best": outcome.best.epoch,
    }


def join_as(rank: int, size: int, port: int) -> Group:
    """Be one of the processes, in the surroundings that ``torchrun`` makes for each; the store by
    which they meet is the caller's."""
    place = {"RANK": rank, "WORLD_SIZE": size, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in place.items()})
    os.environ.update(TORCHELASTIC_USE_AGENT_STORE="True", GLOO_SOCKET_IFNAME="lo")
    torch.set_num_threads(1)
    return join(CPU)


def compare_data(rank: int, port: int, checksum: str) -> None:
    """End with 3 if the other process has read other data."""
    try:
        check_same_data(join_as(rank, 2, port), checksum)
    except DataError:
        sys.exit(3)


def train_cases(folder: Path, rank: int, size: int, port: int) -> None:
    """Be one of the processes that train each case."""
    group = join_as(rank, size, port)
    loop.CHECKPOINT_SECONDS = 0.0
    for name, case in json.loads((folder / "cases.json").read_text()).items():
        resume = Path(case["resume"]) if case["resume"] else None
        found = trained(RunSpec.model_validate(case["spec"]), folder, name, resume, group)
        if group.rank == 0:
            torch.save(found, folder / f"{name}.pt")
