"""A published figure against a cell: the interval, the words, and how often they are wrong."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest
from scipy import stats

from engine.analysis.claims.claim import LEVEL
from engine.analysis.claims.rule import Side
from engine.analysis.published import against, caveats, last_digit
from engine.marks import OF_METRICS
from engine.spread import Spread


def spread(values: list[float]) -> Spread:
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return Spread(float(np.mean(values)), deviation, len(values))


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("0.13", 0.01), (".130", 0.001), ("0.047", 0.001), ("0.1", 0.1), ("6", 1.0), ("6.0", 0.1),
        ("5113.95", 0.01), ("1.30e-1", 0.001), ("0.000", 0.001),
    ],
)  # fmt: skip
def test_the_last_digit_of_a_figure(text: str, unit: float) -> None:
    assert last_digit(Decimal(text)) == unit


def test_a_zero_at_the_end_is_a_digit_of_the_margin() -> None:
    ours = spread([0.1310, 0.1320, 0.1330])
    cut, whole = (against(Decimal(text), ours, metric=True) for text in ("0.13", "0.130"))
    assert cut.margin is not None
    assert whole.margin == pytest.approx(cut.margin - 0.009)
    assert cut.difference == whole.difference


def test_the_interval_is_that_of_one_more_observation() -> None:
    values = [0.131, 0.135, 0.128]
    found = against(Decimal("0.118"), spread(values), metric=True)
    half = stats.t.isf(LEVEL / 2, 2) * np.std(values, ddof=1) * math.sqrt(1 + 1 / 3)
    assert found.margin == pytest.approx(half + 0.001)
    assert found.difference == pytest.approx(np.mean(values) - 0.118)


def test_a_word_is_said_only_where_the_interval_leaves_no_zero() -> None:
    ours = spread([0.1310, 0.1312, 0.1311])
    assert against(Decimal("0.118"), ours, metric=True).verdict == "better"
    assert against(Decimal("0.145"), ours, metric=True).verdict == "worse"
    assert against(Decimal("0.131"), ours, metric=True).verdict == "no difference shown"
    # Two digits may stand for anything within a hundredth.
    assert against(Decimal("0.14"), ours, metric=True).verdict == "no difference shown"
    assert against(Decimal("0.14"), ours, metric=False).verdict is None
    alone = against(Decimal("0.118"), spread([0.2]), metric=True)
    assert alone.verdict is None
    assert alone.untold is not None
    assert alone.untold.sentence == "one seed: no conclusion; `seqbench run … --seed 1,2,3`"
    assert against(Decimal("0.118"), None, metric=True).difference is None


@pytest.mark.parametrize("mark", sorted(OF_METRICS))
def test_no_word_is_said_of_a_cell_with_a_mark_of_data_or_training(mark: str) -> None:
    ours = spread([0.1310, 0.1312, 0.1311])
    found = against(Decimal("0.118"), ours, metric=True, side=Side("sasrec L50", 3, (mark,)))
    assert found.verdict is None
    assert found.margin is not None
    assert found.untold is not None


@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_where_both_are_alike_it_errs_at_its_level(seeds: int) -> None:
    generator, tries = np.random.default_rng(7), 3_000
    wrong = 0
    for _ in range(tries):
        values = generator.normal(0.13, 0.004, seeds + 1)
        # So many digits that the last one adds nothing.
        wrong += against(Decimal(values[0]), spread(list(values[1:])), metric=True).verdict in (
            "better",
            "worse",
        )
    low, high = (stats.binom.ppf(q, tries, LEVEL) for q in (0.001, 0.999))
    assert low <= wrong <= high


def test_nothing_published_needs_no_caveat() -> None:
    assert caveats([]) == []
