"""The filter of repeats: against a definition row by row, and where it stands among the others."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.datasets.filters import apply_filter
from engine.datasets.interactions import Interactions, make_interactions
from engine.datasets.problems import find_problems, sentences
from engine.datasets.readers.source import Ratings
from engine.datasets.splitting.splits import leave_one_out
from engine.datasets.splitting.statistics import split_counts
from engine.errors import DataError
from engine.spec import Filter, SplitRule

Row = tuple[int, int, int]
"""User, item, time."""

ROWS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 5)), min_size=1, max_size=40
)
KEPT = ("first", "last", "consecutive", "same-time")


def ratings(rows: list[Row], timed: bool = True) -> Ratings:
    users, items, times = (np.array(column) for column in zip(*rows, strict=True))
    stars = np.arange(len(rows), dtype=np.float32)  # tells the rows apart
    return Ratings(users, items, times if timed else None, stars)


def filtered(found: Ratings, rule: Filter) -> list[int]:
    left = apply_filter(found, rule)[0].ratings
    assert left is not None
    return [int(row) for row in left]


def expected(rows: list[Row], kept: str, timed: bool) -> list[int]:
    left: list[int] = []
    for user in {row[0] for row in rows}:
        own = [at for at, row in enumerate(rows) if row[0] == user]
        history = sorted(own, key=lambda at: rows[at][2]) if timed else own
        for place, at in enumerate(history):
            item, time = rows[at][1], rows[at][2]
            before, after = history[:place], history[place + 1 :]
            keep = {
                "first": all(rows[each][1] != item for each in before),
                "last": all(rows[each][1] != item for each in after),
                "consecutive": not before or rows[before[-1]][1] != item,
                "same-time": all(rows[each][1:] != (item, time) for each in before),
            }
            if keep[kept]:
                left.append(at)
    return sorted(left)


@given(rows=ROWS, kept=st.sampled_from(KEPT), timed=st.booleans())
def test_what_is_left_of_repeats(rows: list[Row], kept: str, timed: bool) -> None:
    rule = Filter.model_validate({"repeats": kept})
    if kept == "same-time" and not timed:
        with pytest.raises(DataError, match="same-time needs times"):
            apply_filter(ratings(rows, timed), rule)
        return
    assert filtered(ratings(rows, timed), rule) == expected(rows, kept, timed)
    once, steps = apply_filter(ratings(rows, timed), rule)
    twice, _ = apply_filter(once, rule)
    assert twice.ratings is not None
    assert once.ratings is not None
    assert twice.ratings.tolist() == once.ratings.tolist(), "nothing is left to drop"
    dropped = steps[0].interactions - steps[1].interactions
    assert steps[1].name == f"repeats: {kept}, {dropped:,} dropped"


@given(rows=ROWS)
def test_repeats_are_kept_unless_it_is_said(rows: list[Row]) -> None:
    assert filtered(ratings(rows), Filter()) == list(range(len(rows)))
    assert len(apply_filter(ratings(rows), Filter())[1]) == 1


def test_ratings_are_looked_at_before_repeats_and_the_core_after_them() -> None:
    rows: list[Row] = [(1, 1, 1), (1, 1, 2), (1, 2, 3), (2, 1, 1), (2, 2, 2), (3, 2, 1), (3, 2, 2)]
    found, steps = apply_filter(ratings(rows), Filter(min_rating=1, repeats="first", k_core=2))
    assert [step.name for step in steps] == [
        "source", "rating ≥ 1", "repeats: first, 1 dropped", "2-core, round 1",
    ]  # fmt: skip
    assert found.ratings is not None
    # The first row has too low a rating, so that the second is the first of its item; the third
    # user has two interactions, and one of them after repeats.
    assert found.ratings.tolist() == [1, 2, 3, 4]


def test_the_lowest_rating_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(DataError, match="no rating is 9 or more; they range from 0 to 2"):
        apply_filter(ratings([(1, 1, 1), (1, 2, 2), (1, 3, 3)]), Filter(min_rating=9))


@given(rows=ROWS)
def test_repeats_at_one_time_are_counted_and_told(rows: list[Row]) -> None:
    ordered = sorted(rows, key=lambda row: (row[0], row[2]))
    items = np.array([item + 1 for _, item, _ in ordered], np.int32)
    lengths = [sum(row[0] == user for row in rows) for user in range(4)]
    times = np.array([time for *_, time in ordered], np.int64)
    data: Interactions = make_interactions(items, np.cumsum([0, *lengths]), 4, times)
    found = find_problems(data)
    assert found.same_time == len(rows) - len(set(rows))
    assert found.duplicates == len(rows) - len({row[:2] for row in rows})
    said = " ".join(sentences(found, data, SplitRule(), split_counts(leave_one_out(data))))
    assert ("have the same time as another" in said) == (found.same_time > 0)
