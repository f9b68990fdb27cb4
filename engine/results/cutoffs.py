"""Metrics at every cut-off, over all test targets or a part of them, from the targets' ranks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from engine.metrics import CUTOFF_METRICS, CUTOFFS, SCOPE_METRICS, Result

Ranks = NDArray[np.int32]
"""(2, targets): the rank of each target, 1 the best, among all items and with seen ones masked."""
Users = NDArray[np.int32]
"""(targets,): the number of each target's user, ascending."""


def value_at(ranks: Ranks, metric: str, k: int) -> NDArray[np.float64]:
    """Return a metric at ``k`` of each target, from its rank, in any shape.

    With one relevant item Recall@k equals HitRate@k, and NDCG@k is 1 / log2(1 + rank) within the
    first k (Järvelin & Kekäläinen 2002, with an ideal gain of 1).
    """
    within = ranks <= k
    if metric == "mrr":
        return np.where(within, 1.0 / ranks, 0.0)
    if metric == "ndcg":
        return np.where(within, 1.0 / np.log2(1.0 + ranks), 0.0)
    return within.astype(np.float64)


def mean_over_users(values: NDArray[np.float64], users: Users | None) -> float | None:
    """Return the mean over users of each one's mean over their targets; ``None`` without any.

    Args:
        values: (targets,).
        users: ``None`` if each target is another user's.
    """
    if not values.size:
        return None
    if users is None:
        return float(values.mean())
    starts = np.flatnonzero(np.diff(users, prepend=-1))
    targets = np.diff(starts, append=len(users))
    return float((np.add.reduceat(values, starts) / targets).mean())


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
