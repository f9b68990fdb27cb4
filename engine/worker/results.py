"""What a finished run's test ranks amount to, beside the metrics at 10 that every epoch has."""

from __future__ import annotations

import numpy as np

from engine.datasets.splits import SplitData
from engine.results.cutoffs import Ranks, rank_results
from engine.results.popularity import popularity_parts
from engine.results.users import with_several


def test_results(split: SplitData, ranks: Ranks) -> dict[str, float]:
    """Compute `engine.metrics.RANK_RESULTS` of the test ranks of a run that was trained on
    ``split``."""
    users = split.users("test")
    parts = popularity_parts(split.training_counts(), split.targets("test"))
    parts |= {"warm": split.warm("test")}
    return rank_results(ranks, users.astype(np.int32) if with_several(users) else None, parts)
