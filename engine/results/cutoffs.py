"""Metrics at every cut-off, over all test targets or a part of them, from the targets' ranks."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

from engine.metrics import CUTOFF_METRICS, CUTOFFS, SCOPE_METRICS, Result
from engine.results.users import mean_by_user

Ranks = NDArray[np.int32]
"""(2, targets): the rank of each target, 1 the best, among all items and with seen ones masked."""
Users = NDArray[np.int32]
"""(targets,): the number of each target's user, ascending."""


GAINS = ("hit", "mrr", "ndcg")
"""The metrics that `gains` has; Recall equals HitRate, as there is one relevant item."""


def gains(ranks: NDArray[np.integer], k: int) -> NDArray[np.float64]:
    """Return what a target of each rank adds to the metrics `GAINS` at ``k``: (3, …).

    That is 1, 1 / rank and 1 / log2(1 + rank) within the first k (Järvelin & Kekäläinen 2002, with
    an ideal gain of 1), else 0.
    """
    found: NDArray[np.float64] = _table(k)[:, np.where(ranks <= k, ranks, 0)]
    return found


def value_at(ranks: Ranks, metric: str, k: int) -> NDArray[np.float64]:
    """Return a metric at ``k`` of each target, from its rank, in any shape."""
    row = GAINS.index("hit" if metric == "recall" else metric)
    found: NDArray[np.float64] = _table(k)[row, np.where(ranks <= k, ranks, 0)]
    return found


@cache
def _table(k: int) -> NDArray[np.float64]:
    """Return `gains` of the ranks 1 to ``k``, (3, k + 1); rank 0 stands for those beyond."""
    rank = np.arange(1.0, k + 1)
    inside = np.stack([np.ones(k), 1 / rank, 1 / np.log2(1 + rank)])
    return np.pad(inside, ((0, 0), (1, 0)))


def mean_over_users(values: NDArray[np.float64], users: Users | None) -> float | None:
    """Return the mean over users of each one's mean over their targets; ``None`` without any.

    Args:
        values: (targets,).
        users: ``None`` if each target is another user's.
    """
    return float(mean_by_user(values, users).mean()) if values.size else None


def rank_results(
    ranks: Ranks,
    users: Users | None = None,
    parts: Mapping[str, NDArray[np.bool_]] | None = None,
) -> dict[str, float]:
    """Compute `engine.metrics.RANK_RESULTS`, without those of a part that has no targets.

    Args:
        users: ``None`` if each target is another user's.
        parts: which targets, (targets,), belong to each of `engine.metrics.SCOPES`; those that
            aren't known are left out.
    """
    found: dict[str, float | None] = {}
    for row, masked in zip(ranks, (False, True), strict=True):
        for k in CUTOFFS:
            for metric in CUTOFF_METRICS if k != 10 else ():
                mean = mean_over_users(value_at(row, metric, k), users)
                found[Result(metric, k, masked).name] = mean
        for scope, belongs in (parts or {}).items():
            some = users if users is None else users[belongs]
            for metric in SCOPE_METRICS:
                mean = mean_over_users(value_at(row[belongs], metric, 10), some)
                found[Result(metric, 10, masked, scope).name] = mean
    return {name: value for name, value in found.items() if value is not None}
