from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.datasets.filters import apply_filter
from engine.datasets.readers.source import Ratings
from engine.errors import DataError
from engine.spec import Filter

Row = tuple[int, int, float]
ROWS = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 6), st.sampled_from([0.5, 3.0, 3.5, 5.0])),
    min_size=1,
    max_size=60,
)


def ratings(rows: list[Row]) -> Ratings:
    users, items, stars = (np.array(column) for column in zip(*rows, strict=True))
    return Ratings(users, items, np.arange(len(rows)), stars.astype(np.float32))


def left(found: Ratings, rows: list[Row]) -> list[Row]:
    assert found.times is not None
    return [rows[at] for at in found.times.tolist()]


@given(rows=ROWS, least=st.integers(1, 5), min_rating=st.none() | st.sampled_from([3.5, 4.0]))
def test_a_core_is_the_largest_set_in_which_all_are_frequent(
    rows: list[Row], least: int, min_rating: float | None
) -> None:
    expected = [row for row in rows if min_rating is None or row[2] >= min_rating]
    while True:
        users, items = Counter(row[0] for row in expected), Counter(row[1] for row in expected)
        kept = [row for row in expected if users[row[0]] >= least and items[row[1]] >= least]
        if kept == expected:
            break
        expected = kept
    rule = Filter(k_core=least, min_rating=min_rating)
    if not expected:
        with pytest.raises(DataError, match="leaves no interaction"):
            apply_filter(ratings(rows), rule)
        return
    found, steps = apply_filter(ratings(rows), rule)
    assert left(found, rows) == expected
    counts = (len({r[0] for r in expected}), len({r[1] for r in expected}), len(expected))
    assert (steps[-1].users, steps[-1].items, steps[-1].interactions) == counts
    assert [step.interactions for step in steps] == sorted(
        (step.interactions for step in steps), reverse=True
    )


@given(rows=ROWS, least=st.integers(2, 4))
def test_one_round_counts_users_and_items_together_as_sasrec_does(
    rows: list[Row], least: int
) -> None:
    users, items = Counter(row[0] for row in rows), Counter(row[1] for row in rows)
    expected = [row for row in rows if users[row[0]] >= least and items[row[1]] >= least]
    rule = Filter(k_core=least, k_core_rounds=1)
    if expected:
        assert left(apply_filter(ratings(rows), rule)[0], rows) == expected
    else:
        with pytest.raises(DataError):
            apply_filter(ratings(rows), rule)


def test_steps_are_named() -> None:
    rows: list[Row] = [(1, 1, 5), (1, 2, 5), (2, 1, 5), (2, 2, 5), (2, 3, 5), (3, 3, 1)]
    _, steps = apply_filter(ratings(rows), Filter(min_rating=3.5, k_core=2))
    assert [(step.name, step.interactions) for step in steps] == [
        ("source", 6),
        ("rating ≥ 3.5", 5),
        ("2-core, round 1", 4),
    ]


def test_a_source_without_ratings_has_no_least_rating() -> None:
    without = Ratings(np.array([1]), np.array([1]), None)
    with pytest.raises(DataError, match="min_rating needs ratings"):
        apply_filter(without, Filter(min_rating=3))
