"""Whether a data set can tell models apart: its users, its order, its targets, and its floors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.analysis.pairs.significance import Metric, per_user
from engine.datasets.splits import SplitData
from engine.judge.order import SEED, OrderLoss, fitted_order_loss, fitted_ranks
from engine.judge.power import paired_spread, smallest_difference
from engine.judge.sentence import Floor, verdict
from engine.models.load import load_definition

SEQUENTIAL = "markov"
"""The fitted model that uses the order of a history."""
OTHERS = ("item-knn", "popularity")

Ranks = NDArray[np.int32]
"""(2, users): of each test user's true item, among all items and with seen ones masked."""


@dataclass(frozen=True)
class Judgement:
    """What a data set's test users and histories allow to find out, over all items."""

    users: int
    """Test users."""
    cold: float
    """The share of test items that no training interaction has."""
    tied: float | None
    """The share of test items that are decided by a tie; ``None`` if the data have no times."""
    order: OrderLoss
    """Of `SEQUENTIAL`."""
    floors: Mapping[str, Ranks]
    """Of fitted models, by title."""
    networks: Sequence[Ranks]
    """Of trained models, one run each; none if there are none."""

    def smallest(self, metric: Metric) -> float:
        """Return the smallest difference that the users can show (`smallest_difference`): between
        networks if there are two, else between the two best of all models."""
        models = self.networks
        if len(models) < 2:
            every = [*models, *self.floors.values()]
            models = sorted(every, key=lambda ranks: -_mean(ranks, metric))[:2]
        return smallest_difference(self.users, paired_spread([each[0] for each in models], metric))

    def floor(self, metric: Metric) -> tuple[str, float]:
        """Return the title of the best fitted model, and its value."""
        best = max(self.floors, key=lambda title: _mean(self.floors[title], metric))
        return best, _mean(self.floors[best], metric)

    def sentence(self, metric: Metric) -> str:
        """Say in one sentence what can be told apart (`verdict`)."""
        network = max((_mean(each, metric) for each in self.networks), default=None)
        floor = None if network is None else Floor(*self.floor(metric), network)
        return verdict(self.users, metric, self.smallest(metric), floor)


def judge(
    split: SplitData, length: int, networks: Sequence[Ranks] = (), seed: int = SEED
) -> Judgement:
    """Judge a data set, in seconds: fits a few models to it.

    Args:
        length: L, the most recent items that a model sees.
        networks: test ranks of trained models, of the same users in the same order.
        seed: of the shuffle test.
    """
    order = fitted_order_loss(SEQUENTIAL, split, length, seed)
    floors = {SEQUENTIAL: order.ordered}
    floors |= {name: fitted_ranks(name, split, length) for name in OTHERS}
    tied = split.tied("test")
    return Judgement(
        users=len(split.users("test")),
        cold=float(split.cold("test").mean()),
        tied=None if tied is None else float(tied.mean()),
        order=order,
        floors={load_definition(name).title: ranks for name, ranks in floors.items()},
        networks=networks,
    )


def _mean(ranks: Ranks, metric: Metric) -> float:
    return float(per_user(ranks[0], metric).mean())
