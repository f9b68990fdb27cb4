"""What a split holds out, as `data import`, `data show` and a run on it tell."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from engine.analysis.run.details import run_details
from engine.config import load_catalogue
from engine.evaluated import ceiling_of, evaluated_of
from engine.order import Order
from engine.store.connect import connect_reader
from engine.store.location import StoreLocation
from engine.store.places import launch_cells
from engine.store.queries import list_runs
from tui.launch.words import cell_facts
from tui.run.sections import provenance, result

Run = Callable[..., Any]

NEWS = "user_id,item_id,timestamp\n" + "".join(
    f"reader{user},{'old' if step < 6 or user < 3 else 'new'}{(user + step) % 5},"
    f"{1_600_000_000 + 86_400 * step + user}\n"
    for user in range(12)
    for step in range(8)
)
"""The last two items of nine users out of twelve are ones that nobody had before."""


@pytest.fixture
def news(tmp_path: Path, no_data: None) -> Path:
    path = tmp_path / "news.csv"
    path.write_text(NEWS)
    # A run on it is waited for, and not for all the other tests first.
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs/settings.yaml").write_text("niceness: 0\n")
    return path


def test_items_that_training_lacks_are_counted(news: Path, cli: Run, cli_json: Run) -> None:
    done = cli("data", "import", str(news), "--name", "news", "--split", "leave-one-out")
    assert "Cold items: 9 of 12 test items and 9 of 12 validation items occur" in done.stdout
    assert "at most 0.2500 on test" in done.stdout
    assert "Few items: with 10 of them, a random order has a Recall@10 of 1.0000" in done.stdout
    for words in (("--split", "temporal", "--valid-from", "2020-09-19"), ()):
        tail = ("--test-from", "2020-09-20") if words else ()
        found = cli_json("data", "show", "news", "--json", *words, *tail)["split"]
        assert (found["test"], found["test_cold"], found["test_ceiling"]) == (12, 9, 0.25)
        assert (found["valid"], found["valid_cold"], found["valid_ceiling"]) == (12, 9, 0.25)
    early = ("--split", "temporal", "--valid-from", "2020-09-15", "--test-from", "2020-09-16")
    assert "Cold items" not in cli("data", "show", "news", *early, "--targets", "first").stdout


def test_a_result_stands_beside_what_bounds_it(
    news: Path, tmp_path: Path, cli: Run, cli_json: Run
) -> None:
    last = ("--split", "leave-one-out")
    assert cli("data", "import", str(news), "--name", "news", *last).exit_code == 0
    words = "run --model sasrec --dataset news --length 8 --set dim=8 --set epochs=1 --wait"
    done = cli(*words.split())
    assert done.exit_code == 0, done.output
    ceiling_words = "at most 0.2500, apart from chance: 9 of 12 test items never occur in training"
    assert f"({ceiling_words}) at epoch 1" in done.stderr
    assert "epoch 1/1  loss " in done.stderr
    location = StoreLocation(tmp_path / "runs.db")
    with closing(connect_reader(location)) as connection:
        (run,) = list_runs(connection)
        details = run_details(connection, run.id)
    assert f"{run.id}  done: test NDCG@10 0." in done.stderr
    assert details is not None
    assert re.search(r"upper bound(\s+0\.2500){3}", str(result(details)))
    assert "9 of 12 test items never occur in training" in str(provenance(details))
    assert "9 of 12 test items never occur in training" in cli("show", run.id).stdout
    with closing(connect_reader(location)) as connection:
        (cell,) = launch_cells(connection).values()
    order = Order(cells=frozenset({("sasrec", "news", 8)}), seeds=(42,))
    catalogue = load_catalogue(tmp_path / "configs")
    facts = cell_facts(catalogue, ("sasrec", "news", 8), order, cell, "", list)
    assert f"NDCG@10     {ceiling_words}" in "\n".join(map(str, facts))
    assert cli_json("show", run.id, "--json")["provenance"]["ceiling"] == 0.25
    for more in ((), ("--by-cell",)):
        rows = json.loads(cli("compare", "--format", "json", *more).stdout)
        assert [row["ceiling"] for row in rows] == [0.25]
    page = tmp_path / "page.md"
    assert cli("report", "-o", str(page)).exit_code == 0
    assert "9 of 12 test items never occur in training" in page.read_text()


def test_the_evaluated_users_are_named_where_they_are_fewer(
    news: Path, tmp_path: Path, cli: Run, cli_json: Run
) -> None:
    early = (
        f"early{user},old{user},{1_600_000_000 + step}\n" for user in range(3) for step in (1, 2)
    )
    news.write_text(NEWS + "".join(early))
    moments = ("--valid-from", "2020-09-19", "--test-from", "2020-09-20")
    done = cli("data", "import", str(news), "--name", "news", "--split", "temporal", *moments)
    assert done.exit_code == 0, done.output
    assert "leave-one-out" not in done.output.lower()
    words = "run --model sasrec --dataset news --length 8 --set dim=8 --set epochs=1 --wait"
    done = cli(*words.split())
    assert done.exit_code == 0, done.output
    evaluated = "12 of 15 users in test, 12 in validation"
    assert f"({evaluated}; at most 0.2500, apart" in done.stderr
    with closing(connect_reader(StoreLocation(tmp_path / "runs.db"))) as connection:
        (run,) = list_runs(connection)
        details = run_details(connection, run.id)
        (cell,) = launch_cells(connection).values()
    assert details is not None
    assert f"evaluated     {evaluated}" in str(provenance(details))
    shown = cli("show", run.id).stdout
    assert re.search(rf"^  evaluated +{evaluated}$", shown, re.MULTILINE)
    assert re.search(
        r"^  users per second [\d,]+ \(batch 1\), [\d,]+ \(batch 256\)$", shown, re.MULTILINE
    )
    assert cli_json("show", run.id, "--json")["evaluated"] == {
        "users": 15, "valid": 12, "test": 12, "valid_targets": 12, "test_targets": 12,
        "test_cold_users": 0,
    }  # fmt: skip
    for more in ((), ("--by-cell",)):
        rows = json.loads(cli("compare", "--format", "json", *more).stdout)
        assert [row["test_users"] for row in rows] == [12]
    order = Order(cells=frozenset({("sasrec", "news", 8)}), seeds=(42,))
    catalogue = load_catalogue(tmp_path / "configs")
    facts = cell_facts(catalogue, ("sasrec", "news", 8), order, cell, "", list)
    detail = "\n".join(map(str, facts))
    assert f"Evaluated   {evaluated}" in detail


def test_what_has_times_is_split_by_them_and_every_later_item_is_ranked(
    news: Path, tmp_path: Path, cli: Run, cli_json: Run
) -> None:
    new = "".join(
        f"new{user},old{user},{1_600_700_000 + step}\n" for user in (1, 2) for step in (1, 2)
    )
    news.write_text(NEWS + new)
    done = cli("data", "import", str(news), "--name", "news", "--quantile", "0.7", "--split",
               "temporal")  # fmt: skip
    assert done.exit_code == 0, done.output
    by_itself = cli("data", "import", str(news), "--name", "other")
    assert "The file has times, so it is split by them" in by_itself.stdout
    assert "With --split leave-one-out, each user's last two" in by_itself.stdout
    assert cli_json("data", "show", "other", "--json")["split"]["kind"] == "temporal"
    found = cli_json("data", "show", "news", "--json")["split"]
    assert (found["test"], found["test_targets"], found["test_cold_users"]) == (14, 28, 2)
    assert found["test_without_history"] == 2
    shown = cli("data", "show", "news").stdout
    assert "28 targets of 14 in test" in shown
    assert "0 and 2 of these users are in no training interaction" in shown
    assert "0 and 2 interactions are not ranked, as their users have nothing before them" in shown
    one = cli("data", "show", "news", "--targets", "last").stdout
    assert "each user's last one is ranked" in one
    assert "targets of" not in one
    words = "run --model sasrec --dataset news --length 8 --set dim=8 --set epochs=1 --wait"
    done = cli(*words.split())
    assert done.exit_code == 0, done.output
    told = "28 targets of 14 of 14 users in test"
    assert f"({told}, " in done.stderr
    assert "2 test users are in no training interaction" in done.stderr
    told = re.search(r"at most (0\.\d+), .*?: (\d+) of 28 test items never", done.stderr)
    assert told is not None
    for more in ((), ("--by-cell",)):
        (row,) = json.loads(cli("compare", "--format", "json", *more).stdout)
        counts = [row[f"test_{name}"] for name in ("users", "cold_users", "targets", "cold")]
        assert counts == [14, 2, 28, int(told[2])]
        assert f"{row['ceiling']:.4f}" == told[1]
    page = tmp_path / "page.md"
    assert cli("report", "-o", str(page)).exit_code == 0
    assert re.search(r"\| test \| 14 \| 2 \| 28 \|", page.read_text())


@pytest.mark.parametrize(
    "start",
    [
        {},
        {"users": 3},
        {"users": 3, "valid_users": 2},
        {"users": 3, "valid_users": 2, "test_users": None},
    ],
)
def test_a_start_that_tells_no_users_has_none(start: dict[str, Any]) -> None:
    assert evaluated_of(start) is None


@pytest.mark.parametrize(
    "start",
    [{}, {"test_users": 3}, {"test_users": "3", "test_cold": 1}, {"test_users": 1, "test_cold": 2}],
)
def test_a_start_that_tells_no_ceiling_has_none(start: dict[str, Any]) -> None:
    assert ceiling_of(start) is None


def test_moments_may_be_dates(news: Path, cli: Run, cli_json: Run) -> None:
    asked = ("--split", "temporal", "--valid-from", "2020-09-18", "--test-from")
    done = cli("data", "import", str(news), "--name", "news", *asked, "2020-09-19T00:00Z")
    assert "times         2020-09-13 12:26:40 to 2020-09-20 12:26:51 UTC" in done.stdout
    assert "validation from 2020-09-18 00:00:00, test from 2020-09-19 00:00:00" in done.stdout
    found = cli_json("data", "show", "news", "--json")
    assert found["statistics"]["first_time"] == "2020-09-13 12:26:40"
    assert found["split"]["valid_from"] == "2020-09-18 00:00:00"
    numbers = ("--valid-from", "1600387200", "--test-from", "1600473600")
    assert cli_json("data", "show", "news", "--json", *numbers) == found
    outside = cli("data", "show", "news", *asked, "2025-01-01")
    assert outside.exit_code == 1
    assert "2020-09-13 12:26:40 to 2020-09-20 12:26:51 UTC" in outside.stderr
    wrong = cli("data", "show", "news", *asked, "soon")
    assert "test_from is neither a date nor a number: write 2021-02-10" in wrong.stderr


def test_repeats_are_dropped_and_told(tmp_path: Path, no_data: None, cli: Run) -> None:
    rows = "".join(f"u{n % 3},i{n % 4},{n // 8}\n" * (1 + n % 2) for n in range(24))
    path = tmp_path / "log.csv"
    path.write_text("user_id,item_id,timestamp\n" + rows)
    seen = cli("data", "import", str(path), "--name", "log", "--repeats", "same-time")
    assert "repeats: same-time, 12 dropped" in seen.stdout
    assert "at the very time" not in seen.stdout
    assert "repeats: same-time" in (tmp_path / "configs/datasets/log.yaml").read_text()
    assert (
        "12 of them have the same time as "
        "another" in cli("data", "show", "log", "--repeats", "keep").stdout
    )


PARTS = {"train": "1\t7\n1\t8\n2\t8\n2\t9\n", "valid": "1\t9\n2\t7\n", "test": "1\t5\n2\t8\n"}


@pytest.fixture
def shop(tmp_path: Path, no_data: None) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    for part, rows in PARTS.items():
        (folder / f"shop.{part}.inter").write_text(f"user_id:token\titem_id:token\n{rows}")
    return folder


@pytest.mark.parametrize("named", ["folder", "beginning", "files", "in-place"])
def test_a_set_that_is_split_already(
    shop: Path, cli: Run, cli_json: Run, tmp_path: Path, named: str
) -> None:
    words = {
        "folder": [str(shop)],
        "beginning": [str(shop / "shop")],
        "in-place": [str(shop), "--in-place"],
        "files": [w for each in PARTS for w in (f"--{each}", str(shop / f"shop.{each}.inter"))],
    }[named]
    done = cli("data", "import", *words, "--name", "own", "--title", "Own")
    assert done.exit_code == 0, done.stderr
    found = cli_json("data", "show", "own", "--json")["split"]
    assert (found["kind"], found["train"], found["valid"], found["test"]) == ("given", 4, 2, 2)
    assert found["test_cold"] == 1
    assert cli("data", "verify", "own").exit_code == 0
    derived = cli("data", "derive", "own", "--name", "own-once", "--repeats", "first")
    assert derived.exit_code == 0, derived.stderr
    assert cli_json("data", "show", "own-once", "--json")["split"]["test"] == 1
    other = cli("data", "show", "own", "--split", "leave-one-out")
    assert "Its files give the split" in other.stderr


@pytest.mark.slow
def test_a_set_that_is_split_already_trains(shop: Path, cli: Run) -> None:
    assert cli("data", "import", str(shop), "--name", "own").exit_code == 0
    words = ["run", "--model", "sasrec", "--dataset", "own", "--length", "4"]
    done = cli(*words, "--set", "dim=8", "--set", "epochs=1", "--wait")
    assert done.exit_code == 0, done.output
    assert "at most 0.5000, apart from chance: 1 of 2 test items" in done.stderr


def test_one_file_of_three_is_taken_with_a_word(shop: Path, cli: Run) -> None:
    done = cli("data", "import", str(shop / "shop.train.inter"), "--name", "own", "--dry-run")
    assert done.exit_code == 0
    assert (
        "Only shop.train.inter is taken, though shop.test.inter and shop.valid.inter" in done.stderr
    )


def test_a_table_with_histories_beside_the_items_is_refused(
    tmp_path: Path, no_data: None, cli: Run
) -> None:
    path = tmp_path / "x.csv"
    path.write_text("user_id,item_id_list,item_id\n1,2 3,4\n")
    done = cli("data", "import", str(path), "--name", "x")
    assert done.exit_code == 2
    assert "has a history in 'item_id_list' next to each item: save it as RecBole's .inter" in (
        done.stderr
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "Name one FILE, or all three of --train, --valid and --test"),
        (("--train", "a.inter"), "Name one FILE, or all three"),
        (("shop", "--train", "shop/shop.train.inter"), "Name one FILE, or all three"),
        (("--train", "a", "--valid", "b", "--test", "c"), "There is no file a."),
        (("shop", "--split", "temporal"), "Its files give the split"),
        (("shop", "--valid-from", "2021-01-01"), "Its files give the split"),
        (
            ("--train", "shop/shop.test.inter", "--valid", "shop/shop.test.inter", "--test",
             "shop/shop.test.inter"),
            "Two of the files are called",
        ),
    ],
)  # fmt: skip
def test_what_is_no_triple_is_refused(
    shop: Path, cli: Run, words: tuple[str, ...], sentence: str
) -> None:
    done = cli("data", "import", *words, "--name", "own")
    assert done.exit_code in (1, 2)
    assert sentence in done.stderr
