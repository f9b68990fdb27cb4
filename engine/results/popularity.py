"""Which items are popular, counted in training only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

HEAD, MID = 0.1, 0.5
"""Where the most popular items end, and where those in the middle do: shares of all items."""


def popularity_parts(
    counts: NDArray[np.int64], targets: NDArray[np.integer]
) -> dict[str, NDArray[np.bool_]]:
    """Tell targets apart by popularity of the item: ``head``, ``mid``, ``tail``, (targets,) each.

    The most popular tenth of all items, the next four tenths, and the rest, with those that
    training never has. Of equally popular items the one with the lower number comes first.

    Args:
        counts: (V + 1,): the training interactions of each item; of padding, 0, none.
        targets: (targets,): item numbers from 1 on.
    """
    items = len(counts) - 1
    place = np.empty(items, np.int64)
    place[np.argsort(-counts[1:], kind="stable")] = np.arange(items)
    share = (place[targets - 1] + 1) / items
    return {
        "head": share <= HEAD,
        "mid": (share > HEAD) & (share <= MID),
        "tail": share > MID,
    }
