"""Item-based nearest neighbours: items that the users of a history's items have too.

Sarwar et al., Item-based Collaborative Filtering Recommendation Algorithms, WWW 2001, for
interactions without ratings: the cosine between the items' sets of users.

Tried are numbers of neighbours and a shrinkage from the ranges of Ferrari Dacrema et al., A
Troubling Analysis of Reproducibility and Progress in Recommender Systems Research, TOIS 2021 (5 to
1000, and 0 to 1000), and for each step back a factor of a quarter, a half, or one, as in the paper.
A shrinkage of 100 was worse than 0 on validation of MovieLens 100K.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import lru_cache

import torch
from pydantic import Field
from torch import Tensor

from engine.models import Definition, FittedModel, ModelSettings, TrainingHistories
from engine.models.layers.itemrows import (
    ItemRows,
    cooccurrences,
    item_counts,
    user_counts,
    with_popularity,
)

LEAST_WEIGHT = 1e-8
"""An item so far back that its weight is less is left out: float32 doesn't hold what it adds."""


class ItemKNNSettings(ModelSettings):
    """Which items are neighbours, and how a history's are weighted."""

    neighbours: int | None = Field(default=None, ge=1)
    """The most similar items that an item has."""
    shrinkage: float | None = Field(default=None, ge=0)
    """Added to the cosine's denominator: items with few users are then less similar."""
    decay: float | None = Field(default=None, gt=0, le=1)
    """Factor of a history's item for each step back; 1 weights all equally."""


class ItemKNN(FittedModel):
    """Scores item j by Σ_i decay^(steps back to i) · s(i, j), over a history's items i that have j
    as a neighbour.

    s(i, j) = users of both / (√(users of i · users of j) + shrinkage). Items that are as similar as
    the last neighbour are neighbours too. Popularity decides between equal scores.
    """

    weights: Tensor
    """float32 (up to L,): of the last item of a history, of the one before it, and so on."""
    counts: Tensor
    """int64 (V + 1,): training interactions."""

    def __init__(self, settings: ItemKNNSettings, num_items: int, length: int) -> None:
        super().__init__()
        self.num_items = num_items
        self.length = length
        self.settings = settings
        self.similar = ItemRows(num_items)
        self.register_buffer("weights", torch.zeros(1))
        self.register_buffer("counts", torch.zeros(num_items + 1, dtype=torch.int64))

    def fit(self, train: TrainingHistories) -> None:
        names = ("neighbours", "shrinkage", "decay")
        neighbours, shrinkage, decay = (getattr(self.settings, name) for name in names)
        assert None not in (neighbours, shrinkage, decay), "settings are chosen before it is built"
        device = self.counts.device
        weights = decay ** torch.arange(self.length, dtype=torch.float64)
        self.weights = weights[weights >= LEAST_WEIGHT].float().to(device)
        # A copy, which another run's weights may be loaded into.
        similar = _neighbours(train, self.num_items, neighbours, shrinkage)
        self.similar = copy.deepcopy(similar).to(device)
        self.counts = item_counts(train, self.num_items).to(device)

    def scores(self, items: Tensor, times: Tensor | None = None) -> Tensor:  # noqa: ARG002
        return with_popularity(self.similar.scores(items, self.weights), self.counts)


@lru_cache(maxsize=1)  # asked for again by the fit with the next decay
def _neighbours(
    train: TrainingHistories, num_items: int, neighbours: int, shrinkage: float
) -> ItemRows:
    """Return s, 0 where an item is no neighbour."""
    rows = ItemRows(num_items).to(train.items.device)
    rows.fill(_similarities(train, num_items, neighbours, shrinkage))
    return rows


def _similarities(
    train: TrainingHistories, num_items: int, neighbours: int, shrinkage: float
) -> Iterator[Tensor]:
    """Yield blocks (rows, V + 1) of s."""
    roots = user_counts(train, num_items).sqrt()
    first = 0
    for block in cooccurrences(train, num_items):
        own = roots[first : first + len(block), None]
        # Without users of either there are none of both.
        similar = block / (own * roots + shrinkage).clamp(min=1e-30)
        similar.diagonal(first).zero_()
        least = similar.topk(min(neighbours, similar.shape[1])).values[:, -1:]
        yield similar.masked_fill_(similar < least, 0)
        first += len(block)


MODEL = Definition(
    title="Item-kNN",
    settings=ItemKNNSettings,
    module=ItemKNN,
    paper="Sarwar et al., Item-based Collaborative Filtering Recommendation Algorithms, WWW 2001",
    grid={"neighbours": (20, 200), "shrinkage": (0.0, 10.0), "decay": (0.25, 0.5, 1.0)},
)
