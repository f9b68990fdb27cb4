"""`seqbench published` and `compare --published`: published results, their protocol, and in what
they differ from ours."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from measured_runs import MeasuredStore

Run = Callable[..., Result]
RunJson = Callable[..., Any]


@pytest.fixture
def store(tmp_path: Path) -> MeasuredStore:
    return MeasuredStore(tmp_path)


@pytest.fixture
def on_ml_1m(store: MeasuredStore) -> MeasuredStore:
    for seed in (1, 2):
        store.add("sasrec", dataset="ml-1m", length=50, seed=seed)
        store.add("sasrec", dataset="ml-1m", length=200, seed=seed, loss="sampled", negatives=256)
    return store


def test_results_are_listed_with_their_protocol(cli: Run, cli_json: RunJson) -> None:
    asked = ("--model", "SAS4Rec", "--dataset", "1M", "--metric", "ndcg@10")
    text = cli("published", *asked, "--source", "klenitskiy-vasilev").stdout
    plus = next(line for line in text.splitlines() if " SASRec+  " in line)
    assert "0.1821" in plus
    assert "softmax over all items" in plus
    assert "6,040 users, 3,416 items, 999,611 interactions, leave-one-out" in plus
    rows = cli_json("published", *asked, "--format", "json")
    assert {(row["published_model"], row["metric"]) for row in rows} == {("sasrec", "NDCG@10")}
    assert len({row["source"] for row in rows}) >= 8
    (own,) = [row for row in rows if row["label"] == "SASRec+" and row["table"][0] == "k"]
    assert (own["published"], own["digits"], own["L"], own["seen"]) == (
        0.1821,
        "0.1821",
        200,
        "masked",
    )
    assert own["address"].startswith("https://github.com/antklen/")
    assert own["ties"] is None  # nobody knows


def test_what_a_source_does_not_say_is_unknown(cli: Run) -> None:
    text = cli("published", "--source", "xlstm4rec", "--metric", "MRR@10", "--format", "md").stdout
    assert "| unknown | unknown |" in text
    assert text.count("\n") == 2 + 2


def test_a_name_for_which_nothing_is_published_is_told_with_the_nearest(cli: Run) -> None:
    wrong = cli("published", "--model", "sasrek")
    assert wrong.exit_code == 2
    assert "nothing is published for 'sasrek': did you mean 'sasrec'?" in wrong.stderr.lower()
    wrong = cli("published", "--format", "jsn")
    assert "did you mean 'json'?" in wrong.stderr


def test_below_each_cell_stand_what_is_comparable_and_what_differs(
    on_ml_1m: MeasuredStore, cli: Run
) -> None:
    db = ("--db", str(on_ml_1m.location.db))
    text = " ".join(cli(*db, "compare", "--published").stdout.split())
    assert (
        "SASRec+, Klenitskiy & Vasilev 2023: NDCG@10 published 0.1821: L = 200, 3,416 items and "
        "999,611 interactions; yours L = 50, 3,706 items and 1,000,209 interactions."
    ) in text
    assert (
        "SASRec+SS, 1-4 layers, eSASRec's benchmark: NDCG@10 published 0.1684: comparable. Ours: "
    ) in text
    one = cli(*db, "compare", "--published", "--metric", "hit", "--filter", "length:200").stdout
    assert "sasrec L50" not in one
    assert "HitRate@10 published 0.3152" in one
    assert "NDCG" not in one


def test_programs_get_every_result_and_every_field(
    on_ml_1m: MeasuredStore, cli: Run, cli_json: RunJson
) -> None:
    db = ("--db", str(on_ml_1m.location.db))
    rows = cli_json(*db, "compare", "--published", "--format", "json")
    (same,) = [
        row for row in rows if row["comparable"] == "yes" and row["metric"] == "NDCG@10"
        and row["table"] == "esasrec"
    ]  # fmt: skip
    assert (same["length"], same["L"], same["differs"], same["unknown"]) == (200, 200, "", "")
    assert same["ours - published"] == pytest.approx(same["ours"] - 0.1684)
    assert same["ours_seeds"] == 2
    other = [row for row in rows if row["comparable"] == "no"]
    assert other
    assert all(row["differs"] and row["ours - published"] is None for row in other)
    at_20 = [row for row in rows if row["metric"] == "NDCG@20"]
    assert at_20
    assert all(row["ours"] is None for row in at_20)
    text = cli(*db, "compare", "--published", "--format", "csv").stdout
    assert len(list(csv.DictReader(io.StringIO(text)))) == len(rows)
    assert json.loads(json.dumps(rows)) == rows


def test_a_users_own_results_are_among_them(
    on_ml_1m: MeasuredStore, cli: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "mine" / "published"
    folder.mkdir(parents=True)
    (folder / "mine.yaml").write_text(
        "name: mine\ntitle: Mine\naddress: https://example.org/a\n"
        "datasets: {ml-1m: {users: 6040, items: 3706, interactions: 1000209}}\n"
        "protocol: {split: leave-one-out, ties: file, seen: ranked, candidates: all, length: 50,\n"
        "  loss: full, part: test, epoch: best}\n"
        "cells:\n  - {model: sasrec, dataset: ml-1m, figures: {NDCG@10: 0.123}}\n"
    )
    found = cli(
        "--db", str(on_ml_1m.location.db), "--config-dir", str(tmp_path / "mine"),
        "compare", "--published",
    ).stdout  # fmt: skip
    assert "sasrec, Mine: NDCG@10 published 0.123: comparable. Ours: 0.06" in found


def test_it_is_a_table_of_its_own(cli: Run) -> None:
    for option in ("--pivot", "--by-cell", "--pairs", "--protocols", "--inflation"):
        assert "six tables: choose one" in cli("compare", "--published", option).stderr
    assert "leave out --sort" in cli("compare", "--published", "--limit", "3").stderr
    assert "There are no runs yet" in cli("compare", "--published").stderr
