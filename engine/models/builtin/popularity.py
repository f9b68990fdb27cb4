"""Popularity: every history gets the items that occur most often in training."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.models import Definition, FittedModel, ModelSettings, TrainingHistories
from engine.models.layers.itemrows import item_counts


class PopularitySettings(ModelSettings):
    """Popularity has no settings."""


class Popularity(FittedModel):
    """Scores an item by its number of training interactions, whatever the history."""

    counts: Tensor
    """int64 (V + 1,)."""

    def __init__(self, settings: PopularitySettings, num_items: int, length: int) -> None:  # noqa: ARG002
        super().__init__()
        self.num_items = num_items
        self.length = length
        self.register_buffer("counts", torch.zeros(num_items + 1, dtype=torch.int64))

    def fit(self, train: TrainingHistories) -> None:
        self.counts = item_counts(train, self.num_items).to(self.counts.device)

    def scores(self, items: Tensor, times: Tensor | None = None) -> Tensor:  # noqa: ARG002
        return self.counts.float().expand(len(items), -1)


MODEL = Definition(title="Popularity", settings=PopularitySettings, module=Popularity)
