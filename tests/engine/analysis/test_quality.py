"""Time to quality: how a level is written, and when a run passes it."""

from __future__ import annotations

import sqlite3

import pytest

from engine.analysis.columns.definitions import STD, TIME_TO_QUALITY
from engine.analysis.comparison import by_cell, compare_rows
from engine.analysis.quality import DEFAULT, Quality, parse_quality, with_costs_to_quality
from engine.errors import UsageError
from engine.store.compare.grouping import Choice, counted_runs
from engine.store.series import epochs


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("recall@10=.13", Quality("valid_recall", 0.13, False)),
        ("Recall@10/valid >= 0.13", Quality("valid_recall", 0.13, False)),
        ("hr=0.2", Quality("valid_hit", 0.2, False)),
        ("NDCG@10/valid (seen masked)=0.1", Quality("valid_ndcg_masked", 0.1, False)),
        ("mrr_masked=90%", Quality("valid_mrr_masked", 0.9, True)),
        (DEFAULT, Quality("valid_ndcg", 0.95, True)),
    ],
)
def test_a_quality_is_read(text: str, expected: Quality) -> None:
    assert parse_quality(text) == expected


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("fast", "write recall@10=.13"),
        ("recall@10", "write recall@10=.13"),
        ("ndgc=.1", "did you mean 'ndcg'"),
        ("ndcg_test=.1", "there is no metric"),
        ("ndcg=0", "above 0"),
        ("ndcg=13", "at most 1"),
        ("ndcg=101%", "at most 1"),
    ],
)
def test_what_is_none_is_answered_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        parse_quality(text)


def test_it_is_the_training_up_to_the_first_epoch_that_is_as_good(con: sqlite3.Connection) -> None:
    rows = with_costs_to_quality(con, compare_rows(con), parse_quality("recall@10=0.1"))
    assert rows
    passed = 0
    for row in rows:
        seconds, reached = 0.0, None
        for epoch in epochs(con, str(row["run"])):
            seconds += epoch["train_seconds"]
            if epoch["valid_recall"] >= 0.1:
                reached = seconds
                break
        assert row[TIME_TO_QUALITY] == (reached and pytest.approx(reached))
        passed += reached is not None
    assert 0 < passed < len(rows)
    assert list(rows[0]).index(TIME_TO_QUALITY) < list(rows[0]).index("aggregate")


def test_a_share_is_of_the_best_that_the_data_set_reached(con: sqlite3.Connection) -> None:
    rows = compare_rows(con, filter="state:done")
    best = max(e["valid_ndcg"] for row in rows for e in epochs(con, str(row["run"])))
    by_share = with_costs_to_quality(con, rows, parse_quality("ndcg=100%"))
    (first,) = [row for row in by_share if row[TIME_TO_QUALITY] is not None]
    assert any(e["valid_ndcg"] == best for e in epochs(con, str(first["run"])))


def test_a_cell_has_one_only_if_every_seed_has(con: sqlite3.Connection) -> None:
    rows = compare_rows(con, filter="model:sasrec length:50 seed:1,42 state:done")
    reached = [max(e["valid_ndcg"] for e in epochs(con, str(row["run"]))) for row in rows]
    assert len(set(reached)) == 2

    def cell_at(level: float) -> tuple[object, object]:
        (cell,) = by_cell(
            with_costs_to_quality(con, rows, parse_quality(f"ndcg={level:.9f}")),
            counted_runs(con, Choice()),
        )
        return cell[TIME_TO_QUALITY], cell[TIME_TO_QUALITY + STD]

    both, deviation = cell_at(min(reached) - 1e-6)
    assert isinstance(both, float)
    assert isinstance(deviation, float)
    assert cell_at(max(reached) - 1e-6) == (None, None)
