"""`data judge` as a user calls it, with real processes and runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.judge import ask

Run = Callable[..., Any]

WALKS = "user_id,item_id,timestamp\n" + "".join(
    f"reader{user},item{(user * user + 3 * step) % 23},{1_600_000_000 + 86_400 * step + user}\n"
    for user in range(80)
    for step in range(4 + user % 7)
)


@pytest.fixture
def walks(tmp_path: Path, cli: Run, no_data: None) -> str:
    (tmp_path / "walks.csv").write_text(WALKS)
    words = ("walks.csv", "--name", "walks", "--split", "leave-one-out")
    assert cli("data", "import", *words).exit_code == 0
    return "walks"


def no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let any judging from now on fail."""
    monkeypatch.setattr(ask, "JUDGE", ("false",))


@pytest.mark.usefixtures("own_process")
def test_it_is_judged_once(
    cli: Run, walks: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = cli("data", "judge", walks)
    assert first.exit_code == 0
    assert first.stderr.endswith("Judging walks takes a few seconds.\n")
    said = first.stdout
    assert "  in short         80 users: differences in Recall@10 below ." in said
    assert "  evaluated        80 test users\n" in said
    assert "  ties             0 of 80 (0.0 %) true items are decided by a tie in time\n" in said
    assert "Markov counts: Recall@10 1.0000" in said
    assert "  shuffle test     order matters" in said
    assert "Only 80 test users" in said
    assert not (tmp_path / "runs.db").exists()
    no_process(monkeypatch)
    again = cli("data", "judge", walks)
    assert (again.stdout, again.stderr) == (said, "")
    other = cli("data", "judge", walks, "--length", "7")
    assert other.exit_code == 1
    assert "Judging was interrupted" in other.stderr
    derived = cli("data", "derive", walks, "--name", "later", "--split", "temporal")
    assert derived.exit_code == 0
    assert cli("data", "judge", "later").exit_code == 1


def test_runs_of_the_store_are_compared_and_used(
    cli: Run, cli_json: Run, walks: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = cli_json("data", "judge", walks, "--json")
    assert before["networks"] == []
    asked = ("--dataset", walks, "--seed", "1", "--wait")
    assert cli("run", "--model", "markov", *asked).exit_code == 0
    small = ("--set", "epochs=1", "--set", "patience=1")
    assert cli("run", "--model", "sasrec", *asked, *small).exit_code == 0
    no_process(monkeypatch)
    after = cli_json("data", "judge", walks, "--json")
    assert [each["name"] for each in after["networks"]] == ["sasrec L50"]
    rows = {row["model"]: row for row in cli_json("compare", "--format", "json")}
    (network,) = after["networks"]
    assert network["ndcg"] == pytest.approx(rows["sasrec"]["NDCG@10/test"])
    (markov,) = [each for each in after["floors"] if each["model"] == "markov"]
    assert markov["ndcg"] == pytest.approx(rows["markov"]["NDCG@10/test"])
    assert after["smallest"] != before["smallest"]
    assert "; the floor, " in after["sentences"]["recall"]
    kept = {name: value for name, value in after.items() if name in ("floors", "shuffle_test")}
    assert kept == {name: before[name] for name in kept}


def test_a_set_that_is_not_here(cli: Run, no_data: None) -> None:
    found = cli("data", "judge", "ml-1m")
    assert found.exit_code == 1
    assert "is not on this machine: run `seqbench data fetch ml-1m`" in found.stderr


def test_the_synthetic_set_without_times(cli_json: Run) -> None:
    found = cli_json("data", "judge", "synthetic", "--json")
    assert found["users"] == found["ranked_users"] == 2000
    assert found["tied"] is None
    assert found["floor"] == "markov"
    assert 0.2 < found["shuffle_test"]["ndcg"]["share_lost"] < 0.6
    assert 0.02 < found["smallest"]["recall"] < 0.05
