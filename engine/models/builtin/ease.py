"""EASE: a linear model between items, in closed form.

Steck, Embarrassingly Shallow Autoencoders for Sparse Data, WWW 2019: of a user's items, each is
predicted from the others by least squares.

Tried are powers of ten around the λ that the paper reports (200 to 1000, on larger data), inside
the range of Ferrari Dacrema et al., A Troubling Analysis of Reproducibility and Progress in
Recommender Systems Research, TOIS 2021 (1 to 10⁷). They bracket the best on validation
of MovieLens 100K and 1M, where NDCG@10 falls from .027 and .0151 at 10⁴ to .024 and .0146 at 10⁵,
and is lower at 1 and 10⁷. With seen items masked, by which validation doesn't choose, 100 was best.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from pydantic import Field
from torch import Tensor

from engine.errors import TrainingError
from engine.limits import memory_used, process_limits
from engine.models import Definition, FittedModel, ModelSettings, TrainingHistories
from engine.models.layers.itemrows import (
    column_blocks,
    cooccurrences,
    distinct,
    item_counts,
    row_sums,
    with_popularity,
)

MATRICES = 4
"""Of float32 (V, V), that fitting has in memory at the same time."""
GB = 1e9


class EASESettings(ModelSettings):
    """How far the weights between items are kept small."""

    l2: float | None = Field(default=None, gt=0)
    """λ, the weight of the squared weights in the loss (Steck 2019, eq. 3)."""


class EASE(FittedModel):
    """Scores by the set of a history's items, times B = I - P / diag(P) with P = (XᵀX + λI)⁻¹.

    X has a row for each user and a column for each item, 1 where training has the interaction.
    Popularity decides between equal scores.
    """

    weights: Tensor
    """float32 (V + 1, V + 1): B, with a row and a column of 0 for padding."""
    counts: Tensor
    """int64 (V + 1,): training interactions."""

    def __init__(self, settings: EASESettings, num_items: int, length: int) -> None:
        super().__init__()
        self.num_items = num_items
        self.length = length
        self.l2 = settings.l2
        self.register_buffer("weights", torch.zeros(0, 0))
        self.register_buffer("counts", torch.zeros(num_items + 1, dtype=torch.int64))
        self._blocks: tuple[Tensor, Sequence[Tensor]] | None = None

    def fit(self, train: TrainingHistories) -> None:
        """Compute B.

        Raises:
            TrainingError: the matrices don't fit into memory.
        """
        assert self.l2 is not None, "settings are chosen before the model is built"
        check_memory(self.num_items)
        device = self.counts.device
        # Of padding there are no products: B has zeros for it.
        products = torch.cat(list(cooccurrences(train, self.num_items)))
        products.diagonal().add_(self.l2)
        factor = torch.linalg.cholesky(products)
        del products
        inverse = torch.cholesky_inverse(factor)
        del factor
        inverse.div_(-inverse.diagonal().clone()).fill_diagonal_(0)
        self.weights = inverse.to(device)
        self.counts = item_counts(train, self.num_items).to(device)

    def scores(self, items: Tensor, times: Tensor | None = None) -> Tensor:  # noqa: ARG002
        items = distinct(items)
        # Weights that were loaded, fitted again or moved are another tensor.
        if self._blocks is None or self._blocks[0] is not self.weights:
            self._blocks = self.weights, column_blocks(self.weights)
        scores = row_sums(self._blocks[1], items, (items > 0).float())
        return with_popularity(scores, self.counts)


def check_memory(num_items: int) -> None:
    """Check that fitting fits into the memory that this process may use and that is free.

    Raises:
        TrainingError: it doesn't.
    """
    limits = process_limits()
    needed = 4 * num_items**2 * MATRICES
    free = limits.memory - memory_used(limits)
    if needed > free:
        raise TrainingError(
            "out-of-memory",
            f"EASE needs {needed / GB:,.1f} GB of memory for {num_items:,} items, and "
            f"{free / GB:,.1f} GB are free: use item-knn, or a data set with fewer items.",
        )


MODEL = Definition(
    title="EASE",
    settings=EASESettings,
    module=EASE,
    paper="Steck, Embarrassingly Shallow Autoencoders for Sparse Data, WWW 2019",
    grid={"l2": (100.0, 1000.0, 10000.0, 100000.0)},
)
