from __future__ import annotations

import pytest

from engine.judge.size import MOST_FITTED, about, expected_seconds, too_large


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(3, "a few seconds"), (33, "about 30 seconds"), (94, "about 90 seconds"), (95, "about 2 min")],
)
def test_a_time_in_words(seconds: float, words: str) -> None:
    assert about(seconds).startswith(words)


def test_more_of_anything_takes_longer_until_it_is_sampled_or_left_out() -> None:
    small = expected_seconds(1_000, 2_000, 100_000)
    assert expected_seconds(2_000, 2_000, 100_000) > small
    assert expected_seconds(1_000, 3_000, 100_000) > small
    assert expected_seconds(1_000, 2_000, 200_000) > small
    most = expected_seconds(200_000, 2_000, MOST_FITTED)
    assert expected_seconds(200_000, 2_000, 50 * MOST_FITTED) == most


def test_only_what_counts_pairs_of_items_is_too_large() -> None:
    assert "27,000 items takes too long" in too_large("item-knn", "Item-kNN", 27_000, 1_000_000)
    assert not too_large("item-knn", "Item-kNN", 13_000, 1_000_000)
    assert not too_large("markov", "Markov counts", 60_000, 1_000_000)


def test_equations_of_many_items_are_not_solved() -> None:
    assert "13,000 items takes too long" in too_large("ease", "EASE", 13_000, 1_000)
    assert not too_large("ease", "EASE", 10_000, 1_000)
