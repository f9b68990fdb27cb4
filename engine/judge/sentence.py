"""What a data set can tell apart, in one sentence."""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine.analysis.columns.definitions import METRIC_NAMES
from engine.analysis.pairs.significance import Metric


@dataclass(frozen=True, slots=True)
class Floor:
    """The best fitted model beside the best network, in one metric over all items."""

    title: str
    value: float
    network: float


def verdict(users: int, metric: Metric, smallest: float, floor: Floor | None = None) -> str:
    """Say how small differences can be shown, and how close the floor is to the best network.

    Figures are rounded up, to two digits: smaller differences can't be shown for certain.

    Args:
        users: test users.
        smallest: from `engine.judge.power.smallest_difference`.
        floor: ``None`` if no network has been run.
    """
    name = METRIC_NAMES[metric]
    sentence = f"{users:,} users: differences in {name} below {_up(smallest)} can't be shown"
    if floor is None:
        return f"{sentence}."
    behind = floor.network - floor.value
    where = f"within {_up(behind)} of" if behind > 0 else "no worse than"
    return f"{sentence}; the floor, {floor.title}, is {where} the best network."


def _up(value: float) -> str:
    """Write a figure above 0 with two digits, rounded up, such as ``.030``."""
    places = _places(value)
    # A value that has two digits is off by less than this.
    rounded = math.ceil(value * 10**places - 1e-6) / 10**places
    return f"{rounded:.{_places(rounded)}f}".removeprefix("0")


def _places(value: float) -> int:
    """Return the decimal places that show two digits of a figure above 0, and two at least."""
    return max(2, 1 - math.floor(math.log10(value)))
