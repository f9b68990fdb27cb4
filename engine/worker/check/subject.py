"""What is examined: a model on made histories, or a finished run with its weights and its data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from engine.datasets.interactions import Interactions
from engine.datasets.load import load_interactions
from engine.datasets.splitting.splits import SplitData, split_data
from engine.models.base import FittedModel, Model
from engine.models.definition import Definition
from engine.runfolder import RunFolder
from engine.spec import RunSpec
from engine.training.fitting import train_histories
from engine.training.loop import train
from engine.training.recorder import EpochRecord, StepRecord
from engine.worker.trained import open_trained

CPU = torch.device("cpu")

USERS, ITEMS, INTERACTIONS, LENGTH = 500, 100, 20_000, 16
"""Of the made histories that a model learns from."""

FEW_USERS = 60
"""Of those that it is trained on again and again."""

EPOCHS = 25
"""The most that a model learns from them."""

LEAST_LR = 0.003
"""Learning rate that lets a small model learn from them within the epochs of a check."""

LEAST_LAST_MASK_SHARE = 0.5
"""Of a masked model, for the same reason."""

MOST_USERS = 5_000
"""Of a run's test users, spread evenly over all."""

APART = 3_600_000_000
"""Microseconds between two interactions of a user of the made histories."""

STIR = 0.1
"""Deviation of the noise on weights, so that none hides behind a neutral value such as 0."""


@dataclass(frozen=True)
class Subject:
    """A model, and the histories to examine it on."""

    definition: Definition
    spec: RunSpec
    split: SplitData
    weights: Model | None = None
    """Those of a finished run; ``None`` if the model is yet to be trained."""

    @property
    def num_items(self) -> int:
        return self.split.interactions.num_items

    @cached_property
    def trained(self) -> Model:
        """The model with its best weights, in evaluation mode."""
        if self.weights is not None:
            return self.weights
        data = self.split.interactions
        with torch.enable_grad():  # a check may have switched it off
            outcome = train(self.spec, self.definition, data, CPU, Silent())
        return outcome.model.eval()

    def built(self) -> Model:
        """Build the model: a run's weights, else new ones, stirred, or fitted to the histories."""
        if self.weights is not None:
            return self.weights
        torch.manual_seed(self.spec.seed)
        model = self.definition.build(self.spec.architecture.settings, self.num_items, self.length)
        if isinstance(model, FittedModel):
            return self.trained
        generator = torch.Generator().manual_seed(7)
        with torch.no_grad():
            for weight in model.parameters():
                weight.add_(STIR * torch.randn(weight.shape, generator=generator))
        return model.eval()

    @property
    def length(self) -> int:
        return self.spec.length

    def histories(self, rows: int = 12) -> Tensor:
        """Return histories, int64 (rows, L), right-aligned: full ones, shorter ones, an item, none;
        where there are too few long ones, items are drawn."""
        generator = torch.Generator().manual_seed(3)
        size = (rows, self.length)
        items = torch.randint(1, self.num_items + 1, size, generator=generator)
        for row in range(rows):
            padding = self.length * row // (rows - 1)
            items[row, :padding] = 0
        return items


class Silent:
    """A recorder that keeps the epochs only."""

    def __init__(self) -> None:
        self.epochs: list[EpochRecord] = []

    def steps(self, records: list[StepRecord]) -> None:
        """Drop them."""

    def epoch(self, record: EpochRecord) -> None:
        """Keep it."""
        self.epochs.append(record)


def model_subject(spec: RunSpec, definition: Definition) -> Subject:
    """Prepare the examination of a model on made histories.

    Args:
        spec: a run of it on a synthetic data set.
        definition: of its model.
    """
    patience = EPOCHS if definition.kind == "masked" else 5  # these learn little at first
    small = made_spec(spec, definition.kind, USERS, epochs=EPOCHS, patience=patience, batch_size=32)
    return Subject(definition, small, split_data(made_interactions(small), small.source))


def made_interactions(spec: RunSpec) -> Interactions:
    """Make the histories of a run of `made_spec`, with times: some models need them."""
    made = load_interactions(spec.source)
    return replace(made, times=np.arange(len(made.items), dtype=np.int64) * APART)


def made_spec(spec: RunSpec, kind: str, users: int, **training: int) -> RunSpec:
    """Return a run on small made histories, with settings of training that suit their size.

    Args:
        kind: `engine.modelinfo.Kind`.
    """
    content = spec.model_dump()
    source = content["source"]
    source |= {"users": users, "items": ITEMS, "interactions": INTERACTIONS * users // USERS}
    source["synthetic"] |= {"min_length": 20, "max_length": 60}
    if kind != "fitted":
        own = content["training"]
        own |= {"objective": kind, "dtype": "float32", "warmup_steps": 0, **training}
        own |= {"lr_decay": "constant", "window_overlap": 0.0, "ema": min(own["ema"], 0.98)}
        own["last_mask_share"] = max(own["last_mask_share"], LEAST_LAST_MASK_SHARE)
        own |= {"lr": max(own["lr"], LEAST_LR), "negatives": min(own["negatives"], ITEMS // 2)}
    return RunSpec.model_validate(content | {"length": LENGTH, "source": source})


def run_subject(folder: RunFolder) -> Subject:
    """Prepare the examination of a finished run. Raises `DataError` as `open_trained` does."""
    opened = open_trained(folder)
    test, count = opened.split.test, len(opened.split.test.evaluated)
    some = np.linspace(0, count - 1, min(count, MOST_USERS)).astype(np.int64)
    fewer = replace(opened.split, test=test.at(test.rows(some)))
    return Subject(opened.definition, opened.spec, fewer, opened.model)


def fitted(definition: Definition, split: SplitData, length: int, **settings: object) -> Model:
    """Fit a model that has no settings to try to the training histories of a split."""
    model = definition.build(settings, split.interactions.num_items, length)
    assert isinstance(model, FittedModel)
    with torch.no_grad():
        model.fit(train_histories(split, CPU))
    return model.eval()
