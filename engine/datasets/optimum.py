"""The best possible metrics of a synthetic data set, computed from the source of its histories."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.datasets.splitting.splits import Split, leave_one_out
from engine.datasets.synthetic import MarkovSource, generate, markov_source
from engine.results.cutoffs import gains
from engine.spec import TOP_K, Dataset

_CELLS_AT_ONCE = 2**22
"""Most cells of a (users, items) table of probabilities, which bounds its memory."""


def next_item(source: MarkovSource, contexts: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return P(next item | context), (B, V + 1).

    Args:
        contexts: (B, order) int32, oldest first; 0 before the start of the history.
    """
    rows = np.arange(len(contexts))[:, None]
    not_begun = (contexts[:, ::-1] == 0) @ source.lag_weights
    table: NDArray[np.float64] = (source.noise + not_begun)[:, None] * source.popularity
    for lag in range(1, source.order + 1):
        item = contexts[:, -lag]
        mass = np.where(item[:, None] > 0, source.lag_weights[lag - 1] * source.weights, 0.0)
        np.add.at(table, (rows, source.successors[lag - 1, item]), mass)
    return table


@dataclass(frozen=True)
class BayesOptimum:
    """Metrics at 10 of the best possible ranking, by the true probabilities, over all items.

    ``recall`` (equal to HitRate), ``mrr`` and ``ndcg`` are the exact expectations given each
    user's history, averaged over the evaluated users; ``realised_…`` are the same ranking's metrics
    on the items that were drawn, a tie counting against the true item.
    """

    recall: float
    mrr: float
    ndcg: float
    realised_recall: float
    realised_mrr: float
    realised_ndcg: float
    users: int


def bayes_optimum(dataset: Dataset, split: Split) -> BayesOptimum:
    """Compute the optimum of one split of a synthetic data set.

    With one item to find, a metric is a sum over ranks of a gain that falls with the rank
    (`engine.results.cutoffs.gains`). Its expectation, Σ_k gain(k) · p(item at rank k), is greatest
    when items are ranked by probability.
    """
    assert dataset.synthetic is not None
    source = markov_source(dataset.synthetic, dataset.items)
    halves = leave_one_out(generate(dataset))
    contexts, targets = halves.histories(split, source.order), halves.targets(split)

    best = min(TOP_K, dataset.items)
    of_rank = gains(np.arange(1, best + 1), TOP_K)
    expected, realised = np.zeros(3), np.zeros(3)
    for part in _chunks(len(targets), dataset.items):
        table = next_item(source, contexts[part])[:, 1:]
        top = -np.sort(-np.partition(table, -best, axis=1)[:, -best:], axis=1)
        expected += of_rank @ top.sum(axis=0)
        true = np.take_along_axis(table, targets[part][:, None].astype(np.int64) - 1, axis=1)
        realised += gains((table >= true).sum(axis=1), TOP_K).sum(axis=1)
    recall, mrr, ndcg = (expected / len(targets)).tolist()
    realised_recall, realised_mrr, realised_ndcg = (realised / len(targets)).tolist()
    return BayesOptimum(
        recall, mrr, ndcg, realised_recall, realised_mrr, realised_ndcg, len(targets)
    )


def _chunks(users: int, items: int) -> Iterator[slice]:
    size = max(1, _CELLS_AT_ONCE // items)
    return (slice(first, first + size) for first in range(0, users, size))
