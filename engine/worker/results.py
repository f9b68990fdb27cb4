"""What a finished run's test ranks and lists amount to, beside the metrics at 10 that every epoch
has."""

from __future__ import annotations

import numpy as np

from engine.datasets.splitting.splits import SplitData
from engine.results.cutoffs import Ranks, rank_results
from engine.results.lists import Popularity, list_results
from engine.results.popularity import popularity_parts
from engine.results.users import with_several
from engine.training.ranking.lists import Recommended

_USERS = 10_000
"""Users whose distinct items are counted at once, which takes memory."""


def test_results(split: SplitData, ranks: Ranks, lists: Recommended | None) -> dict[str, float]:
    """Compute `engine.metrics.RESULT_OF` of a run that was trained on ``split``, from its test
    ranks and what it recommends; those of the ranks alone where that isn't known."""
    popularity, users = popularity_of(split), split.users("test")
    parts = popularity_parts(popularity.interactions, split.targets("test"))
    parts |= {"warm": split.warm("test")}
    several = users.astype(np.int32) if with_several(users) else None
    found = rank_results(ranks, several, parts)
    if lists is not None:
        found |= list_results(lists.over_all, popularity, masked=False)
        found |= list_results(lists.masked, popularity, masked=True)
    return found


def popularity_of(split: SplitData) -> Popularity:
    """Count the interactions and the users of each item in training."""
    own = split.interactions
    starts, trained = own.offsets[:-1], split.train_end - own.offsets[:-1]
    size = own.num_items + 1
    users = np.zeros(size, np.int64)
    for first in range(0, len(trained), _USERS):
        counts = trained[first : first + _USERS]
        user = np.repeat(np.arange(len(counts)), counts)
        shift = starts[first : first + _USERS] - (np.cumsum(counts) - counts)
        items = own.items[np.repeat(shift, counts) + np.arange(len(user))]
        pairs = np.sort(user * size + items)
        users += np.bincount(pairs[np.diff(pairs, prepend=-1) != 0] % size, minlength=size)
    return Popularity(split.training_counts(), users, int(np.count_nonzero(trained)))
