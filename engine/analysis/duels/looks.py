"""The looks of a duel: the paired test after every seed, each against a bound of its own.

What is tested is `engine.analysis.pairs.significance`: the difference over users and seeds. A look
decides if that test finds the difference at the usual level, and if it is also beyond

    √( t²_users · users + t²_seeds · (seeds of one + seeds of the other) )

with the variances that users alone and each model's seeds contribute, and for each Student's t at
the look's level with that part's own degrees of freedom (Banerjee, Sankhyā 22, 1960). This keeps
the level however large the parts are. The test's own degrees of freedom, estimated from the same
few seeds (Satterthwaite), don't that far out: with three seeds, of which one model's vary much more
than anything else, what has p < .001 is there in 1.6 % of cases with nothing to find.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from engine.analysis.claims.claim import LEVEL, POWER
from engine.analysis.duels.bounds import levels
from engine.analysis.pairs.significance import difference
from engine.analysis.pairs.student import critical, two_sided
from engine.analysis.pairs.variance import Part, PerUser, seed_part, user_part, users_alone

LEAST_CHANCE = 0.1
"""A duel ends without a verdict if the chance that its last seed decides is less."""


@dataclass(frozen=True, slots=True)
class Look:
    """The test after some seeds of both models."""

    seeds: int
    means: tuple[float, float]
    """Of each model, over users and seeds."""
    difference: float
    low: float
    high: float
    """The interval at the look's level: all looks' intervals together hold the truth in 95 % of
    cases, whenever a duel ends."""
    level: float
    decided: bool


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the last seed of a duel can show, if means and variances stay as they are."""

    chance: float
    """That it decides."""
    smallest: float
    """The difference that it shows in `POWER` of cases."""


def looks(a: PerUser, b: PerUser, first: int, most: int) -> list[Look]:
    """Look at the first seeds of two models, one more each time, until a look decides.

    Args:
        a: (S, U), as many seeds as ``b``; none but those up to ``most`` are looked at.
        first: the number of seeds of the first look, 2 or more.
        most: that of the last one.
    """
    found: list[Look] = []
    for seeds, level in zip(range(first, min(most, len(a)) + 1), levels(first, most), strict=False):
        found.append(_look(a[:seeds], b[:seeds], level))
        if found[-1].decided:
            break
    return found


def outlook(a: PerUser, b: PerUser, first: int, most: int) -> Outlook:
    """Say what ``most`` seeds can show after those that there are.

    The difference by then is expected where it is now; it will differ from that by what the seeds
    to come contribute to it, which is known as well as the seeds so far tell.
    """
    now, level = _parts(a, b), levels(first, most)[-1]
    share = len(a) / most
    users, *seeds = now
    last = [users, *(Part(part.variance * share, 0.0, most - 1) for part in seeds)]
    mean, bound = abs(float((a.mean(axis=0) - b.mean(axis=0)).mean())), _bound(last, level)
    smallest = bound + _bound(last, 2 * (1 - POWER))
    spread = math.sqrt(sum(part.variance for part in seeds) * (1 - share))
    if not spread:
        return Outlook(float(mean > bound), smallest)
    chance = sum(_above((bound - side) / spread, len(a) - 1) for side in (mean, -mean))
    return Outlook(chance, smallest)


def _look(a: PerUser, b: PerUser, level: float) -> Look:
    found, half = difference(a, b), _bound(_parts(a, b), level)
    return Look(
        seeds=len(a),
        means=(float(a.mean()), float(b.mean())),
        difference=found.mean,
        low=found.mean - half,
        high=found.mean + half,
        level=level,
        decided=found.p < LEVEL and abs(found.mean) > half,
    )


def _parts(a: PerUser, b: PerUser) -> list[Part]:
    """Return the parts of the difference's variance that are independent: users alone, and the
    means over users of each model's seeds."""
    seeds = [seed_part(each) for each in (a, b)]
    users = user_part(a, b)
    alone = Part(users_alone(users, seeds), 0.0, users.dof)
    return [alone, *(Part(part.variance, 0.0, part.dof) for part in seeds)]


def _bound(parts: Sequence[Part], level: float) -> float:
    return math.sqrt(sum(part.variance * critical(level, part.dof) ** 2 for part in parts))


def _above(t: float, dof: int) -> float:
    """Return P(T > t)."""
    tail = two_sided(t, dof) / 2
    return tail if t > 0 else 1 - tail
