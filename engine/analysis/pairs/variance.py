"""What the variance of a difference between two cells is made of: users, and the seeds of each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PerUser = NDArray[np.float64]
"""(S, U): a metric of each user, once a seed."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a difference's variance."""

    variance: float
    rest: float
    """The share of ``variance`` that another part holds already."""
    dof: int


def user_part(a: PerUser, b: PerUser) -> Part:
    """Return what users contribute: the variance of their differences, over their number."""
    pairs = a.mean(axis=0) - b.mean(axis=0)
    return Part(float(pairs.var(ddof=1)) / len(pairs), 0.0, len(pairs) - 1)


def seed_part(values: PerUser) -> Part:
    """Return what the seeds of a cell contribute, which has two or more."""
    seeds, users = values.shape
    means = values.mean(axis=1)
    rest = values - values.mean(axis=0) - means[:, None] + values.mean()
    square = float((rest**2).sum()) / ((seeds - 1) * (users - 1))
    return Part(float(means.var(ddof=1)) / seeds, square / (seeds * users), seeds - 1)


def users_alone(users: Part, seeds: Sequence[Part]) -> float:
    """Return what the users alone contribute: the remainder in their differences gets less with
    every seed."""
    return max(0.0, users.variance - sum(part.rest for part in seeds))


def standard_error(parts: Sequence[Part]) -> float:
    """Return the standard error of a difference whose variance has these parts."""
    return math.sqrt(sum(max(0.0, part.variance - part.rest) for part in parts))


def degrees_of_freedom(parts: Sequence[Part]) -> float:
    """Return those after Satterthwaite (Biometrics Bulletin 2, 1946), 1 or more."""
    squares = sum(part.variance**2 / part.dof for part in parts)
    if squares == 0:
        return float(min(part.dof for part in parts))
    return max(1.0, standard_error(parts) ** 4 / squares)
