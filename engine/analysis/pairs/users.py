"""What a cell's test users allow to be known of its metrics: intervals, and a warning where the
users are few."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.analysis.columns.definitions import METRIC_NAMES

FEW_USERS = 400
"""Fewer test users than this are warned of. At a hit rate of .1 the interval of 400 reaches .03 to
either side, 30 % of the rate, which is about as far as models of this kind are apart."""


@dataclass(frozen=True, slots=True)
class UserIntervals:
    """The 95 % intervals of a cell's test metrics over its users, over all items."""

    users: int
    ends: Mapping[str, tuple[float, float]]
    """By the names of `engine.metrics.METRICS`."""

    def text(self, metric: str) -> str:
        """Write a metric's interval in few cells: ``.055–.067``."""
        return "–".join(f"{end:.3f}".removeprefix("0") for end in self.ends[metric])

    @property
    def warning(self) -> str:
        """The sentence of `few_users` for NDCG; empty where users are enough."""
        return few_users(self.users, METRIC_NAMES["ndcg"], *self.ends["ndcg"])


def few_users(users: int, name: str, low: float, high: float) -> str:
    """Warn of few test users, with half the width of a metric's interval over them; empty where
    they are enough."""
    if users >= FEW_USERS:
        return ""
    half = (high - low) / 2
    return (
        f"Only {users:,} test users: {name} is known to about ±{half:.3f}, and smaller "
        "differences can hardly be detected."
    )
