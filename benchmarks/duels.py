"""How often duels claim something, right or wrong, and with how many seeds.

``make bench-duels`` simulates them on values that are normal over users and seeds, of which known
shares vary with users, with the seeds of both models, or with those of one alone. Looks and ends
are those of `engine.analysis.duels`.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import dataclass

import numpy as np

from benchmarks.common import progress, table
from engine.analysis.claims.claim import LEVEL
from engine.analysis.duels.looks import LEAST_CHANCE, looks, outlook
from engine.analysis.pairs.significance import difference
from engine.analysis.pairs.variance import PerUser
from engine.planning.study import DUEL_SEEDS, FINAL_SEEDS

USERS = 60
VARYING = {
    "users alone": (0.0, 0.0),
    "seeds of both, a tenth": (0.1, 0.1),
    "seeds of both, as much": (1.0, 1.0),
    "seeds of both, ten times": (10.0, 10.0),
    "seeds of one, 100 times": (100.0, 0.0),
}
"""The variance of each model's seeds beside that of the difference over users."""
APART = (0.0, 2.0, 4.0, 6.0)
"""True differences, in standard errors of the difference after the last seed."""


@dataclass
class Counts:
    """What duels of one kind came to."""

    ends: Counter[str]
    seeds: int = 0
    plain: int = 0
    """In how many the paired test after the last seed finds a difference."""


def drawn(
    generator: np.random.Generator, seeds: int, spreads: tuple[float, float], apart: float
) -> tuple[PerUser, PerUser]:
    """Draw the values of two models, (seeds, users) each: their difference varies over users by 1,
    as a mean, and over each model's seeds by ``spreads``, all variances."""
    values = []
    for spread, better in zip(spreads, (apart, 0.0), strict=True):
        users = generator.normal(0, (USERS / 2) ** 0.5, USERS)
        values.append(better + users + generator.normal(0, spread**0.5, (seeds, 1)))
    return values[0], values[1]


def fought(a: PerUser, b: PerUser, most: int) -> tuple[str, int]:
    """Return what a duel comes to, and with how many seeds, as the supervisor goes on with it."""
    for seeds in range(FINAL_SEEDS, most + 1):
        one, other = a[:seeds], b[:seeds]
        last = looks(one, other, FINAL_SEEDS, most)[-1]
        if last.decided:
            return ("right" if last.difference > 0 else "wrong"), seeds
        if seeds < most and outlook(one, other, FINAL_SEEDS, most).chance < LEAST_CHANCE:
            return "ended early", seeds
    return "no verdict", most


def simulate(duels: int, most: int) -> list[list[str]]:
    """Return a row for each kind of duel."""
    rows = []
    for name, spreads in VARYING.items():
        error = (1 + sum(spreads) / most) ** 0.5
        for apart in APART:
            generator = np.random.default_rng([most, len(rows)])
            counts = Counts(Counter())
            for _ in range(duels):
                a, b = drawn(generator, most, spreads, apart * error)
                end, seeds = fought(a, b, most)
                counts.ends[end] += 1
                counts.seeds += seeds
                counts.plain += difference(a, b).p < LEVEL
            claimed = counts.ends["right"] + counts.ends["wrong"]
            rows.append(
                [name, f"{apart:g}", f"{claimed / duels:.3f}", f"{counts.plain / duels:.3f}",
                 f"{counts.seeds / duels:.1f}", f"{counts.ends['ended early'] / duels:.3f}"]
            )  # fmt: skip
            progress(" ".join(rows[-1]))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--duels", type=int, default=2_000, help="of each kind")
    parser.add_argument("--seeds", type=int, default=DUEL_SEEDS, help="at most")
    options = parser.parse_args()
    head = ("what varies", "apart, SE", "claimed", "plain test", "seeds", "ended early")
    print(table(head, simulate(options.duels, options.seeds)))


if __name__ == "__main__":
    main()
