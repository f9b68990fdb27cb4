"""Reading what a finished run's folder holds for its results."""

from __future__ import annotations

import numpy as np

from engine.files.regular import open_regular
from engine.results.cutoffs import Ranks, Users
from engine.runfolder import RunFolder


def read_ranks(folder: RunFolder) -> tuple[Ranks, Users | None]:
    """Read the ranks of a run's test targets, and their users; ``None`` if each target is another
    user's.

    Raises:
        OSError: they can't be read, or aren't there.
        ValueError: the file holds something else.
    """
    with open_regular(folder.test_ranks) as file:
        ranks: Ranks = np.load(file, allow_pickle=False)
    if ranks.ndim != 2 or ranks.shape[0] != 2 or not np.issubdtype(ranks.dtype, np.integer):
        raise ValueError("not ranks of test targets")
    if ranks.size and ranks.min() < 1:
        raise ValueError("a rank below 1")
    return ranks, None
