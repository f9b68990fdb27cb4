"""What a finished run's test ranks amount to, beside the metrics at 10 that every epoch has."""

from __future__ import annotations

import numpy as np

from engine.datasets.splits import SplitData
from engine.results.cutoffs import Ranks, rank_results
from engine.results.popularity import popularity_parts


def test_results(split: SplitData, ranks: Ranks) -> dict[str, float]:
    """Compute `engine.metrics.RANK_RESULTS` of the test ranks of a run that was trained on
    ``split``."""
    counts, targets, users = split.training_counts(), split.targets("test"), split.users("test")
    known = split.train_end > split.interactions.offsets[:-1]
    parts = popularity_parts(counts, targets) | {"warm": (counts[targets] > 0) & known[users]}
    single = len(np.unique(users)) == len(users)
    return rank_results(ranks, None if single else users.astype(np.int32), parts)
