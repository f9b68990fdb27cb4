"""What a data set can tell apart, in words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

import numpy as np

from engine.analysis.claims.claim import LEVEL, POWER
from engine.analysis.columns.definitions import METRIC_NAMES
from engine.analysis.columns.text import figure, signed
from engine.analysis.pairs.significance import Metric
from engine.analysis.pairs.users import FEW_USERS
from engine.judge.judgement import FittedRanks, Judgement, OrderLoss
from engine.judge.power import paired_spread, smallest_difference
from engine.judge.stored import Network

METRICS: tuple[Metric, ...] = ("recall", "ndcg")
"""What is told, over all items."""


@dataclass(frozen=True)
class Smallest:
    """The smallest difference that a data set's users can show."""

    value: float
    between: str
    """Which models' differences vary as was assumed."""


@dataclass(frozen=True)
class Told:
    """A judgement beside the networks of the same data."""

    found: Judgement
    networks: Sequence[Network] = ()
    """Best on validation first; their ranks are of the users that are ranked for."""

    def smallest(self, metric: Metric) -> Smallest | None:
        """Return the smallest difference that the users can show: between two networks if there
        are two, else between the two models that are best on validation. ``None`` if there are no
        two models."""
        networks = [(each.label, each.ranks) for each in self.networks]
        floors = sorted(self.found.floors, key=lambda each: -each.valid)
        if len(networks) < 2:
            networks += [(each.title, each.ranks[None]) for each in floors[: 2 - len(networks)]]
        if len(networks) < 2 or self.found.users < 2:
            return None
        spread = float(
            np.median(
                [
                    paired_spread([one, other], metric, self.found.owners)
                    for a, b in combinations([ranks for _, ranks in networks], 2)
                    for one, other in product(a, b)
                ]
            )
        )
        names = [name for name, _ in networks]
        between = f"{', '.join(names[:-1])} and {names[-1]}"
        return Smallest(smallest_difference(self.found.users, spread), between)

    def sentence(self, metric: Metric) -> str:
        """Say what can be told apart, and how close the floor is to the best network."""
        users, name = self.found.users, METRIC_NAMES[metric]
        smallest, floor = self.smallest(metric), self.found.floor
        if smallest is None or smallest.value >= 1:
            word = "user is" if users == 1 else "users are"
            return f"{users:,} {word} too few to show any difference in {name}."
        said = f"{users:,} users: differences in {name} below {_up(smallest.value)} can't be shown"
        if floor is None or not self.networks:
            return f"{said}."
        behind = self.networks[0].mean(metric) - floor.mean(metric)
        where = f"within {_up(behind)} of" if behind > 0 else "no worse than"
        return f"{said}; the floor, {floor.title}, is {where} the best network."


def told(found: Judgement, networks: Sequence[Network]) -> Told:
    """Put a judgement beside the networks of the same data, whose ranks are of all test users."""
    ranked = found.users if found.ranked_users is None else found.ranked_users
    return Told(
        found,
        [
            Network(each.label, each.seeds, each.valid, found.ranked(each.ranks), found.owners)
            for each in networks
            if each.ranks.shape[1] == found.targets and ranked > 1
        ],
    )


def facts(said: Told) -> Iterator[tuple[str, str]]:
    """Yield all that was found, as names and texts."""
    found = said.found
    yield "in short", said.sentence("recall")
    yield "evaluated", _evaluated(found)
    yield "cold", f"{_of(found.cold, found.targets)} true items occur in no training interaction"
    if found.tied is None:
        yield "ties", "not known: the data have no times"
    else:
        yield "ties", f"{_of(found.tied, found.targets)} true items are decided by a tie in time"
    floor = found.floor
    for each in sorted(found.floors, key=lambda each: -each.valid):
        yield ("floor" if each is floor else ""), f"{each.title}: {_values(each)}"
    for sentence in found.left_out:
        yield "", sentence
    for place, network in enumerate(said.networks):
        seeds = f"{network.seeds} seed{'s' * (network.seeds != 1)}"
        label = "" if place else f"network{'s' * (len(said.networks) != 1)}"
        yield label, f"{network.label}: {_values(network)} ({seeds})"
    if (order := found.order("ndcg")) is not None and found.shuffled is not None:
        yield "shuffle test", order_sentence(order, found.shuffled.title)
    both = [(metric, said.smallest(metric)) for metric in METRICS]
    shown = [f"{METRIC_NAMES[m]} {_up(each.value)}" for m, each in both if each is not None]
    if shown and (first := both[0][1]) is not None:
        yield (
            "smallest",
            f"{', '.join(shown)}: differences that a paired test over the users shows in "
            f"{100 * POWER:.0f} % of cases" + f", between models that differ as {first.between} do",
        )
    if shown and found.users < FEW_USERS:
        yield "caution", f"Only {found.users:,} test users: models rarely differ by that much."


def order_sentence(order: OrderLoss, title: str) -> str:
    """Say what the shuffle test means, in NDCG@10."""
    name = METRIC_NAMES["ndcg"]
    change = f"{figure(order.ordered, 'metric')} to {figure(order.shuffled, 'metric')}"
    if order.difference.p >= LEVEL:
        bounds = " to ".join(signed(-end) for end in (order.difference.high, order.difference.low))
        return (
            f"no use of order is shown: with shuffled histories, {name} of {title} goes from "
            f"{change} (95 % interval of the change: {bounds}); models of sets may do as well here"
        )
    if order.difference.mean < 0:
        return (
            f"order does harm: with shuffled histories, {name} of {title} rises from {change}; "
            "models of sets may do better here"
        )
    lost = f"{100 * (order.share or 0):.0f} % of the {name} of {title} is lost ({change})"
    return (
        f"order matters: with shuffled histories, {lost}; models can gain from the order of a "
        "history here"
    )


def as_json(said: Told) -> dict[str, Any]:
    """Return all that was found for programs."""
    found, floor = said.found, said.found.floor
    return {
        "length": found.length,
        "users": found.users,
        "targets": found.targets,
        "ranked_users": found.users if found.ranked_users is None else found.ranked_users,
        "fitted_users": found.fitted_users,
        "cold": found.cold,
        "tied": found.tied,
        "floor": floor.model if floor else None,
        "floors": [
            {"model": each.model, "title": each.title, "valid_ndcg": each.valid, **_means(each)}
            for each in found.floors
        ],
        "left_out": list(found.left_out),
        "networks": [
            {"name": each.label, "seeds": each.seeds, "valid_ndcg": each.valid, **_means(each)}
            for each in said.networks
        ],
        "shuffle_test": None
        if found.shuffled is None
        else {
            "model": found.shuffled.model,
            **{metric: _order_json(found.order(metric)) for metric in METRICS},
        },
        "power": POWER,
        "smallest": {
            metric: None if (each := said.smallest(metric)) is None else each.value
            for metric in METRICS
        },
        "sentences": {metric: said.sentence(metric) for metric in METRICS},
        "cpu_seconds": found.seconds,
    }


def _order_json(order: OrderLoss | None) -> dict[str, Any] | None:
    if order is None:
        return None
    tested = order.difference
    return {
        "ordered": order.ordered,
        "shuffled": order.shuffled,
        "share_lost": order.share,
        "low": tested.low,
        "high": tested.high,
        "p": tested.p,
    }


def _evaluated(found: Judgement) -> str:
    said = f"{found.users:,} test user{'s' * (found.users != 1)}"
    if found.targets != found.users:
        said = f"{found.targets:,} targets of {said}"
    if found.ranked_users is not None:
        said += f"; metrics are of a sample of {found.ranked_users:,}"
    if found.fitted_users is not None:
        said += f"; models are fitted to the histories of a sample of {found.fitted_users:,} users"
    return said


def _of(part: int, whole: int) -> str:
    share = f" ({100 * part / whole:.1f} %)" if whole else ""
    return f"{part:,} of {whole:,}{share}"


def _means(each: FittedRanks | Network) -> dict[str, float]:
    return {metric: each.mean(metric) for metric in METRICS}


def _values(each: FittedRanks | Network) -> str:
    values = _means(each).items()
    return ", ".join(
        f"{METRIC_NAMES[metric]} {figure(value, 'metric')}" for metric, value in values
    )


def _up(value: float) -> str:
    """Write a figure above 0 with two digits, rounded up, such as ``.030``."""
    places = _places(value)
    # A value that has two digits is off by less than this.
    rounded = math.ceil(value * 10**places - 1e-6) / 10**places
    return f"{rounded:.{_places(rounded)}f}".removeprefix("0")


def _places(value: float) -> int:
    """Return the decimal places that show two digits of a figure above 0, and two at least."""
    return max(2, 1 - math.floor(math.log10(value)))
