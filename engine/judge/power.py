"""The smallest difference between two models that the test users of a data set can show."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.analysis.claims.claim import LEVEL, POWER
from engine.analysis.pairs.beta import share_bounds
from engine.analysis.pairs.significance import Metric, per_user
from engine.analysis.pairs.student import critical


def smallest_difference(users: int, spread: float) -> float:
    """Return the difference of two models' means that a paired t-test, two-sided at `LEVEL`, finds
    in `POWER` of cases: of two trained models of one seed each, or two fitted ones.

    With s the spread it is (t_{1 - LEVEL/2} + t_{POWER}) · s / √users, Student's t with
    users - 1 degrees of freedom (Lachin, Controlled Clinical Trials 2, 1981, eq. 1, with t in place
    of the normal law). Seeds that vary make it larger.

    Args:
        spread: the standard deviation over users of the paired differences.

    Raises:
        ValueError: there are fewer than two users.
    """
    if users < 2:
        raise ValueError("a paired test needs two users or more")
    if spread == 0:
        # Even if none of these users differs, this share of other users may.
        return share_bounds(0, users, LEVEL)[1]
    quantiles = critical(LEVEL, users - 1) + critical(2 * (1 - POWER), users - 1)
    return quantiles * spread / math.sqrt(users)


def paired_spread(
    ranks: Sequence[NDArray[np.int32]],
    metric: Metric,
    users: NDArray[np.integer[Any]] | None = None,
) -> float:
    """Return the standard deviation over users of the differences between two models: the median
    over all pairs of the given ones.

    Models that are alike, such as two networks, differ for fewer users than a network and counts.

    Args:
        ranks: (targets,) of each of two models or more, as `per_user` takes them.
        users: (targets,), as there.

    Raises:
        ValueError: there are fewer than two models or users.
    """
    if len(ranks) < 2 or len(ranks[0]) < 2:
        raise ValueError("the spread of differences needs two models and two users or more")
    values = [per_user(each, metric, users) for each in ranks]
    return float(np.median([np.std(a - b, ddof=1) for a, b in combinations(values, 2)]))
