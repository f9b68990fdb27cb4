"""Runs of the tests that remember in memory what they would record, and data made for them."""

from __future__ import annotations

import numpy as np
import torch

from engine.datasets.interactions import Interactions, make_interactions
from engine.datasets.load import load_interactions
from engine.models import Definition
from engine.spec import RunSpec
from engine.training.loop import Outcome, train
from engine.training.recorder import EpochRecord, StepRecord

CPU = torch.device("cpu")


class Memory:
    """A recorder that remembers."""

    def __init__(self) -> None:
        self.updates: list[StepRecord] = []
        self.epochs: list[EpochRecord] = []

    def steps(self, records: list[StepRecord]) -> None:
        self.updates += records

    def epoch(self, record: EpochRecord) -> None:
        self.epochs.append(record)


def run(spec: RunSpec, definition: Definition, **arguments: object) -> tuple[Outcome, Memory]:
    memory = Memory()
    outcome = train(
        spec,
        definition,
        load_interactions(spec.source),
        CPU,
        memory,
        **arguments,  # type: ignore[arg-type]
    )
    return outcome, memory


def histories_of(lengths: list[int], *, timed: bool = True) -> Interactions:
    """Histories of items 1, 2, … throughout, item i at the time 1000 · i."""
    total = sum(lengths)
    items = np.arange(1, total + 1)
    times = (1000 * items).astype(np.int64) if timed else None
    return make_interactions(items, np.cumsum([0, *lengths]), max(1, total), times)
