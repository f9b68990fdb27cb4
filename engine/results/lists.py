"""What the items are like that a run recommends to test users, whether or not they hit.

The definitions are those of RecBole (ItemCoverage, AveragePopularity, GiniIndex) and RecTools
(AvgRecPopularity, MeanInvUserFreq). On the same lists the values are equal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.metrics import CUTOFFS, LIST_MEASURES, Result

LONGEST = max(CUTOFFS)
"""Items of a list that a run keeps."""

Lists = NDArray[np.unsignedinteger]
"""(users, up to 100): item numbers from 1 on, the highest score first, then 0 in a shorter list."""


@dataclass(frozen=True)
class Popularity:
    """How often items occur in training."""

    interactions: NDArray[np.int64]
    """(V + 1,): interactions with each item; of padding, 0, none."""
    users: NDArray[np.int64]
    """(V + 1,): users who interacted with it."""
    all_users: int
    """Users that training has."""


def list_results(lists: Lists, popularity: Popularity, *, masked: bool) -> dict[str, float]:
    """Compute those of `engine.metrics.LIST_RESULTS` that are over all items, or ``masked``.

    A longer list than the catalogue has is as long as the catalogue.
    """
    items = len(popularity.interactions) - 1
    # An item that training never has counts as if one user had it.
    rarity = -np.log2(np.maximum(popularity.users, 1) / max(popularity.all_users, 1))
    found = {}
    for k in CUTOFFS if len(lists) else ():
        top = lists[:, :k]
        given = top > 0
        many = np.maximum(given.sum(axis=1), 1)
        times = np.bincount(top[given], minlength=items + 1)[1:]
        values = {
            "coverage": np.count_nonzero(times) / items,
            "arp": (popularity.interactions[top] * given).sum(axis=1) / many,
            "novelty": (rarity[top] * given).sum(axis=1) / many,
            "gini": gini(times),
        }
        for measure in LIST_MEASURES:
            found[Result(measure, k, masked).name] = float(np.mean(values[measure]))
    return found


def gini(times: NDArray[np.integer]) -> float:
    """Return the Gini coefficient of how often each item is recommended, (V,): 0 if all equally
    often, (V - 1) / V if it is always one."""
    total = times.sum()
    if not total:
        return 0.0
    place = 2 * np.arange(1, len(times) + 1) - len(times) - 1
    return float((place * np.sort(times)).sum() / (len(times) * total))
