"""The looks of duels, simulated: with nothing to find, and with something."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from scipy import stats

from engine.analysis.claims.claim import LEVEL, POWER
from engine.analysis.duels.bounds import levels
from engine.analysis.duels.looks import LEAST_CHANCE, looks, outlook
from engine.analysis.pairs.significance import difference, per_user
from engine.analysis.pairs.student import critical
from engine.analysis.pairs.variance import PerUser

FIRST, MOST = 3, 10


def duels(
    generator: np.random.Generator,
    tries: int,
    users: int,
    spreads: tuple[float, float],
    better: float = 0.0,
) -> Iterator[tuple[PerUser, PerUser]]:
    """NDCG@10 of two models, (seeds, users) each, from ranks: users differ, models differ by user,
    seeds move a whole run, and chance moves each rank.

    Args:
        spreads: of what moves a model's runs, as logarithms of ranks. A negative one moves each
            rank of a run by itself: then seeds don't vary, and what is expected is the same.
        better: by how much the first model's ranks are lower.
    """
    for _ in range(tries):
        easy = generator.normal(2.6, 1.6, users)
        found = []
        for gain, spread in zip((better, 0.0), spreads, strict=True):
            own = easy - gain + generator.normal(0, 0.3, users)
            moved = generator.normal(0, abs(spread), (MOST, users if spread < 0 else 1))
            chance = generator.normal(0, 0.6, (MOST, users))
            ranks = np.clip(np.exp(own + moved + chance), 1, 3000).astype(np.int32)
            found.append(per_user(ranks, "ndcg"))
        yield found[0], found[1]


NOTHING = [
    (150, (0.0, 0.0)),  # users are all that varies
    (150, (0.03, 0.03)),  # seeds vary less than users
    (600, (0.1, 0.1)),  # about as much
    (600, (0.4, 0.4)),  # much more
    (600, (0.3, -0.3)),  # and those of one model alone
]


def wrong(tries: int, users: int, spreads: tuple[float, float], most: int = MOST) -> int:
    generator = np.random.default_rng([users, tries, most])
    made = duels(generator, tries, users, spreads)
    return sum(looks(a, b, FIRST, most)[-1].decided for a, b in made)


@pytest.mark.parametrize(("users", "spreads"), NOTHING)
def test_with_nothing_to_find_a_duel_finds_something_at_its_level_at_most(
    users: int, spreads: tuple[float, float]
) -> None:
    tries = 150
    # At a true rate of 5 % so many are found in one series of a thousand.
    assert wrong(tries, users, spreads) <= stats.binom.isf(0.001, tries, LEVEL)


@pytest.mark.slow
@pytest.mark.parametrize(("users", "spreads"), NOTHING)
@pytest.mark.parametrize("most", [5, 10])
def test_nor_does_it_in_a_long_series(users: int, spreads: tuple[float, float], most: int) -> None:
    tries = 1_500
    found = wrong(tries, users, spreads, most)
    assert found <= stats.binom.isf(0.001, tries, LEVEL)
    assert found > 0


def normal(
    generator: np.random.Generator, seeds: int, spreads: tuple[float, float]
) -> tuple[PerUser, PerUser]:
    """Values whose mean difference has a deviation of 1 over users, and these over each seed."""
    users = 100
    a, b = (
        generator.normal(0, (users / 2) ** 0.5, users) + generator.normal(0, spread, (seeds, 1))
        for spread in spreads
    )
    return a, b


def test_three_seeds_of_which_one_models_vary_much_do_not_mislead() -> None:
    generator, tries, own = np.random.default_rng(7), 1_500, levels(FIRST, 9)[0]
    alone = looked = 0
    for _ in range(tries):
        a, b = normal(generator, FIRST, (30**0.5, 0.0))
        alone += difference(a, b).p < own
        looked += looks(a, b, FIRST, 9)[0].decided
    most = stats.binom.isf(0.001, tries, own)
    assert looked <= most < alone


@pytest.mark.parametrize(
    ("users", "spread", "better", "seeds"),
    [(600, 0.02, 0.25, 7), (600, 0.1, 0.35, 8)],
)
def test_what_is_there_is_found_with_fewer_seeds(
    users: int, spread: float, better: float, seeds: float
) -> None:
    generator, tries = np.random.default_rng(4), 50
    made = [looks(*each, FIRST, MOST)[-1] for each in duels(
        generator, tries, users, (spread, spread), better
    )]  # fmt: skip
    assert sum(each.decided and each.difference > 0 for each in made) > POWER * tries
    assert not any(each.decided and each.difference < 0 for each in made)
    assert float(np.mean([each.seeds for each in made])) < seeds


def test_ending_early_without_a_verdict_costs_few_verdicts_and_saves_seeds() -> None:
    generator, tries = np.random.default_rng(5), 60
    with_all = ended = 0
    used: list[int] = []
    for better in (0.0, 0.12):
        for a, b in duels(generator, tries, 300, (0.05, 0.05), better):
            decided = looks(a, b, FIRST, MOST)[-1]
            futile = next(
                (
                    seeds
                    for seeds in range(FIRST, MOST)
                    if outlook(a[:seeds], b[:seeds], FIRST, MOST).chance < LEAST_CHANCE
                ),
                MOST,
            )
            with_all += decided.decided
            ended += decided.decided and decided.seeds <= futile
            if not better:
                used.append(min(decided.seeds, futile))
    assert 0.9 * with_all <= ended <= with_all
    assert float(np.mean(used)) < 0.7 * MOST


def test_where_seeds_do_not_vary_the_bound_is_students_over_users() -> None:
    generator, users = np.random.default_rng(6), 200
    a, b = generator.random(users), generator.random(users) + 0.2
    same = np.tile(a, (4, 1)), np.tile(b, (4, 1))
    (look,) = looks(*same, FIRST, MOST)
    tested = stats.ttest_rel(a, b)
    interval = tested.confidence_interval(1 - look.level)
    assert (look.low, look.high) == pytest.approx((interval.low, interval.high))
    assert (look.seeds, look.decided, look.level) == (3, True, levels(FIRST, MOST)[0])
    ahead = outlook(*same, FIRST, MOST)
    error = (a - b).std(ddof=1) / users**0.5
    last = levels(FIRST, MOST)[-1]
    wanted = (critical(last, users - 1) + critical(2 * (1 - POWER), users - 1)) * error
    assert ahead.smallest == pytest.approx(wanted)
    assert ahead.chance == 1


def test_where_users_do_not_vary_three_seeds_have_their_own_students_law() -> None:
    a = np.repeat([[0.10], [0.12], [0.15]], 400, axis=1)
    b = np.repeat([[0.18], [0.17], [0.21]], 400, axis=1)
    (look,) = looks(a, b, FIRST, FIRST)
    each = [values[:, 0].var(ddof=1) / 3 for values in (a, b)]
    half = stats.t.isf(look.level / 2, 2) * sum(each) ** 0.5
    assert (look.low, look.high) == pytest.approx((look.difference - half, look.difference + half))


def test_models_that_are_the_same_are_not_told_apart() -> None:
    values = np.random.default_rng(2).random((10, 50))
    found = looks(values, values, FIRST, MOST)
    assert [each.decided for each in found] == [False] * 8
    flat = np.full((4, 9), 0.5)
    assert outlook(flat, flat, FIRST, MOST).chance == 0
