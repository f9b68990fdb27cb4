"""Markov counts: which items followed the last ones of a history, in other users' histories."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor

from engine.models import Definition, FittedModel, ModelSettings, TrainingHistories
from engine.models.layers.itemrows import ItemRows, follow_counts, item_counts, with_popularity

TINY = 1e-30
"""Less than any weight: the sum of a row without entries."""


class MarkovSettings(ModelSettings):
    """How far apart two items count, and how much: decay^(distance - 1) / distance^power."""

    window: int | None = Field(default=None, ge=1, le=1000)
    """Largest distance, and the last items of a history that are used; 1 is a first-order chain."""
    decay: float | None = Field(default=None, gt=0, le=1)
    """Base of the exponential part of the weight; at 1 there is none."""
    power: float | None = Field(default=None, ge=0, le=10)
    """Exponent of the distance in the weight: 1 is 1 / distance, at 0 there is none."""


class Markov(FittedModel):
    """Scores item j by Σ_d w(d) · P(i_d, j), over the items i_d that are d steps back.

    P(i, j) is j's share of what follows i in training histories up to the window, each occurrence
    weighted by w of its distance. Popularity decides between equal scores.
    """

    weights: Tensor
    """float32 (window,): w."""
    counts: Tensor
    """int64 (V + 1,): training interactions."""

    def __init__(self, settings: MarkovSettings, num_items: int, length: int) -> None:
        super().__init__()
        self.num_items = num_items
        self.length = length
        self.settings = settings
        self.follows = ItemRows(num_items)
        self.register_buffer("weights", torch.zeros(1))
        self.register_buffer("counts", torch.zeros(num_items + 1, dtype=torch.int64))

    def fit(self, train: TrainingHistories) -> None:
        window, decay, power = (getattr(self.settings, n) for n in ("window", "decay", "power"))
        assert None not in (window, decay, power), "settings are chosen before the model is built"
        device = self.counts.device
        distance = torch.arange(1, window + 1, dtype=torch.float64)
        weights = decay ** (distance - 1) / distance**power
        self.weights = weights.float().to(device)
        blocks = follow_counts(train, self.num_items, weights)
        self.follows.fill(
            block.div_(block.sum(1, keepdim=True).clamp(min=TINY)) for block in blocks
        )
        self.counts = item_counts(train, self.num_items).to(device)

    def scores(self, items: Tensor, times: Tensor | None = None) -> Tensor:  # noqa: ARG002
        return with_popularity(self.follows.scores(items, self.weights), self.counts)


MODEL = Definition(
    title="Markov counts",
    settings=MarkovSettings,
    module=Markov,
    grid={"window": (5, 10), "decay": (0.8, 1.0), "power": (0.0, 1.0)},
)
