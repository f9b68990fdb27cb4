"""Cells and their test users' ranks: who is compared with whom, and in which words."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from measured_runs import counted

from engine.analysis.claims.claim import Family
from engine.analysis.comparison import Row
from engine.analysis.pairs.cells import pairs, ranked_cells
from engine.analysis.pairs.interval import user_interval
from engine.analysis.pairs.text import RankedMetric, caveats, format_pairs, ranked_metric
from engine.analysis.run.relaunch import Launch
from engine.errors import UsageError
from engine.store.location import StoreLocation

USERS = 400


@pytest.fixture
def location(tmp_path: Path) -> StoreLocation:
    return StoreLocation(tmp_path / "runs.db")


def add(
    location: StoreLocation, model: str, seed: int, rate: float, users: int = USERS, **other: Any
) -> Row:
    """A run whose test users are hit at about that rate."""
    row: Row = {"run": f"{model}-{other.get('settings', 'a')}-{seed}", "model": model}
    row |= {"dataset": "ml-100k", "length": 50, "seed": seed, "profile": "reference"}
    row |= {"settings": "a", "protocol": 2, "checksum": "8f", "state": "done"}
    row |= {"origin": "", "split": "leave-one-out", **other}
    folder = location.folder(str(row["run"]))
    folder.path.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng([seed, *model.encode()])
    hit = generator.random((2, users)) < rate
    ranks = np.where(hit, generator.integers(1, 11, (2, users)), 50)
    np.save(folder.test_ranks, ranks.astype(np.int32))
    return row


def test_cells_of_one_data_set_are_compared_and_no_others(location: StoreLocation) -> None:
    rows = [
        *(add(location, "sasrec", seed, 0.3) for seed in (1, 2, 3)),
        *(add(location, "xlstm", seed, 0.1) for seed in (1, 2)),
        add(location, "bert4rec", 1, 0.3, dataset="ml-1m"),
        add(location, "gru", 1, 0.3, protocol=3),
        add(location, "sasrec", 4, 0.3, state="running"),
    ]
    cells, problems = ranked_cells(location, rows, counted(rows))
    assert problems == []
    assert [(cell.label, cell.ranks.shape) for cell in cells] == [
        ("sasrec L50", (3, 2, USERS)),
        ("xlstm L50", (2, 2, USERS)),
        ("bert4rec L50", (1, 2, USERS)),
        ("gru L50", (1, 2, USERS)),
    ]
    (pair,) = pairs(cells, "recall", masked=False)
    assert (pair.a.label, pair.b.label, pair.verdict) == ("sasrec L50", "xlstm L50", "better")
    assert pair.difference.mean == pytest.approx(0.2, abs=0.03)
    assert pair.more_seeds == 0
    low, high = user_interval(cells[0].values("recall", masked=True))
    assert low < 0.3 < high


def test_users_with_several_targets_count_once(location: StoreLocation) -> None:
    rows = [add(location, name, seed, 0.2) for name in ("a", "b") for seed in (1, 2)]
    owners = np.repeat(np.arange(100, dtype=np.int32), USERS // 100)
    for row in rows:
        np.save(location.folder(str(row["run"])).test_users, owners)
    cells, problems = ranked_cells(location, rows, counted(rows))
    assert problems == []
    assert [(cell.targets, cell.users) for cell in cells] == [(USERS, 100)] * 2
    (pair,) = pairs(cells, "recall", masked=False)
    assert pair.difference.users == 100
    values = cells[0].values("recall", masked=False)
    assert values.shape == (2, 100)
    assert values.mean() == pytest.approx((cells[0].ranks[:, 0] <= 10).mean())
    # Of other users, or of targets that are shared out otherwise, nothing is paired.
    other = np.sort(np.arange(USERS, dtype=np.int32) % 100)
    other[0:5] = 0
    for row in rows[2:]:
        np.save(location.folder(str(row["run"])).test_users, other)
    assert not pairs(ranked_cells(location, rows, counted(rows))[0], "recall", masked=False)
    np.save(location.folder(str(rows[0]["run"])).test_users, other)
    left, problems = ranked_cells(location, rows, counted(rows))
    assert [cell.label for cell in left] == ["b L50"]
    assert problems == ["a L50 is left out: its runs rank for other users."]


@pytest.mark.parametrize(
    "wrong", [np.arange(3), np.zeros(USERS), np.arange(USERS, dtype=np.int32)[::-1]]
)
def test_users_that_cannot_be_read_leave_a_run_out(
    location: StoreLocation, wrong: np.ndarray
) -> None:
    row = add(location, "a", 1, 0.2)
    np.save(location.folder(str(row["run"])).test_users, wrong)
    cells, (problem,) = ranked_cells(location, [row], counted([row]))
    assert cells == []
    assert "its test ranks can't be read (" in problem


def test_equal_models_are_not_said_to_differ(location: StoreLocation) -> None:
    rows = [add(location, name, seed, 0.2) for name in ("a", "b") for seed in (1, 2, 3)]
    (pair,) = pairs(ranked_cells(location, rows, counted(rows))[0], "ndcg", masked=False)
    assert pair.verdict == "no difference shown"
    assert pair.more_seeds != 0


def test_all_comparisons_of_a_table_are_corrected_together(location: StoreLocation) -> None:
    rows = [add(location, f"m{n}", seed, 0.2 + n / 100) for n in range(6) for seed in (1, 2, 3)]
    found = pairs(ranked_cells(location, rows, counted(rows))[0], "hit", masked=False)
    assert len(found) == 15
    assert all(pair.p is not None and pair.p >= pair.difference.p for pair in found)
    smallest = min(found, key=lambda pair: pair.difference.p)
    assert smallest.p == pytest.approx(min(1, 15 * smallest.difference.p))
    # What is a difference by itself and not among fifteen needs seeds all the same.
    for pair in found:
        if pair.verdict == "no difference shown":
            assert pair.more_seeds != 0


def test_a_seed_that_ran_twice_counts_once(location: StoreLocation) -> None:
    first = add(location, "sasrec", 1, 0.1)
    second = add(location, "sasrec", 1, 0.9) | {"run": "sasrec-z-1"}
    rows = [first, second]
    location.folder(str(first["run"])).path.rename(location.folder("sasrec-z-1").path)
    (cell,), problems = ranked_cells(location, rows, counted(rows))
    assert problems == []
    assert [row["run"] for row in cell.runs] == ["sasrec-z-1"]


def test_settings_tell_cells_apart_that_look_alike(location: StoreLocation) -> None:
    rows = [
        add(location, "sasrec", 1, 0.2, settings="aaaa"),
        add(location, "sasrec", 1, 0.2, settings="bbbb"),
        add(location, "sasrec", 1, 0.2, settings="cccc", profile="tuned"),
    ]
    cells, _ = ranked_cells(location, rows, counted(rows))
    assert [cell.label for cell in cells] == [
        "sasrec L50 reference aaaa",
        "sasrec L50 reference bbbb",
        "sasrec L50 tuned",
    ]


def test_ranks_that_cannot_be_read_are_left_out_and_named(location: StoreLocation) -> None:
    rows = [add(location, "sasrec", seed, 0.2) for seed in range(1, 6)]
    paths = [location.folder(str(row["run"])).test_ranks for row in rows]
    paths[0].unlink()
    paths[1].write_bytes(b"not an array")
    np.save(paths[2], np.zeros((2, 4), np.int32))
    paths[3].unlink()
    os.mkfifo(paths[3])
    (cell,), problems = ranked_cells(location, rows, counted(rows))
    assert [row["seed"] for row in cell.runs] == [5]
    assert len(problems) == 4
    assert all("is left out: its test ranks can't be read (" in problem for problem in problems)


def test_other_users_are_never_averaged(location: StoreLocation) -> None:
    rows = [add(location, "sasrec", 1, 0.2), add(location, "sasrec", 2, 0.2, users=300)]
    assert ranked_cells(location, rows, counted(rows)) == (
        [],
        ["sasrec L50 is left out: its runs rank for other users."],
    )


def test_the_table_says_what_may_be_said(location: StoreLocation) -> None:
    rows = [add(location, "sasrec", seed, 0.3) for seed in (1, 2)]
    rows += [add(location, "xlstm", seed, 0.1) for seed in (1, 2)]
    found = pairs(ranked_cells(location, rows, counted(rows))[0], "hit", masked=False)
    table = format_pairs(found, "hit", "table", masked=False)
    assert "sasrec L50" in table
    assert "better" in table
    (exact,) = json.loads(format_pairs(found, "hit", "json", masked=False))
    assert exact["a - b"] == found[0].difference.mean
    assert exact["mean a"] - exact["mean b"] == pytest.approx(exact["a - b"])
    assert exact["p"] == found[0].p
    assert (exact["over"], exact["why_not"]) == ("users and seeds", None)
    assert caveats(found) == [
        "The intervals (95 %) are over users (paired) and seeds.",
        "p is corrected (Holm) for the one comparison of two cells listed here, in this one "
        "metric; the intervals are not corrected.",
    ]


def test_the_table_claims_nothing_of_a_cell_with_one_seed(location: StoreLocation) -> None:
    rows = [add(location, "sasrec", seed, 0.3) for seed in (1, 2)] + [
        add(location, "xlstm", 1, 0.1)
    ]
    launch = Launch("ml-100k", "reference", (), 50, "xlstm")
    cells, _ = ranked_cells(location, rows, counted(rows), {"xlstm-a-1": launch})
    found = pairs(cells, "hit", masked=False)
    table = format_pairs(found, "hit", "table", masked=False)
    assert "no conclusion: xlstm L50 has one seed" in table
    assert not re.search(r"better|worse|< \.001", table)
    (exact,) = json.loads(format_pairs(found, "hit", "json", masked=False))
    assert (exact["p"], exact["a is"], exact["more seeds"]) == (None, None, None)
    why = (
        "xlstm L50 has one seed: no conclusion; `seqbench run --model xlstm --dataset ml-100k "
        "--length 50 --seed 1,2,3 --profile reference`"
    )
    assert exact["why_not"] == why
    assert exact["over"] == "users and the seeds of sasrec L50"
    assert caveats(found)[1:] == [f"{why}."]
    assert "more than one" in caveats(found)[0]


def test_what_may_not_be_told_is_in_no_family(location: StoreLocation) -> None:
    rows = [add(location, name, seed, 0.2) for name in "abc" for seed in (1, 2)]
    rows.append(add(location, "d", 1, 0.4))
    rows[0]["marks"] = "changed-data"
    found = pairs(ranked_cells(location, rows, counted(rows))[0], "hit", masked=False)
    told = [pair for pair in found if pair.verdict is not None]
    assert [(pair.a.cell.model, pair.b.cell.model) for pair in told] == [("b", "c")]
    assert told[0].claim.family == Family("cells", 1)
    assert told[0].p == told[0].difference.p


@pytest.mark.parametrize(
    ("name", "metric"),
    [
        ("ndcg@10/test", RankedMetric("ndcg")),
        ("Recall@10/test (seen masked)", RankedMetric("recall", masked=True)),
        ("ndcg@20", RankedMetric("ndcg", 20)),
        ("MRR@100/test (seen masked)", RankedMetric("mrr", 100, masked=True)),
    ],
)
def test_a_metric_is_named_as_its_column(name: str, metric: RankedMetric) -> None:
    assert ranked_metric(name) == metric


def test_what_is_no_users_figure_is_refused() -> None:
    with pytest.raises(UsageError, match="EpochTime isn't a metric of single test users"):
        ranked_metric("EpochTime")
    with pytest.raises(UsageError, match=r"\(tail targets\) isn't a metric of single"):
        ranked_metric("recall_tail")
