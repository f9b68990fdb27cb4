"""``seqbench evaluate``: finished runs under another rule, kept with the run and in the store."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from timed_runs import timed_data, timed_run

from engine.interchange.manifest import KEPT
from engine.runfolder import RunFolder
from engine.store.connect import connect_reader, connect_writer
from engine.store.database import write
from engine.store.evaluations import evaluations_of
from engine.store.intake.folders import meta_text
from engine.store.location import StoreLocation

Run = Callable[..., Result]

TEMPORAL = {"kind": "temporal", "valid_share": 0.2, "test_share": 0.2}


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Run) -> list[RunFolder]:
    """A store with two runs that are split by time, and one that isn't."""
    timed_data(monkeypatch, tmp_path)
    made = [
        timed_run(tmp_path / "runs", f"{model}-mine", model, TEMPORAL)
        for model in ("popularity", "markov")
    ]
    made.append(timed_run(tmp_path / "runs", "popularity-loo", "popularity", {}, name="other"))
    assert cli("db", "rebuild").exit_code == 0
    return made


def kept(tmp_path: Path) -> dict[str, dict[str, Any]]:
    location = StoreLocation(tmp_path / "runs.db")
    with connect_reader(location) as con:
        return evaluations_of(con, [folder.run_id for folder in location.folders()])


@pytest.mark.usefixtures("own_process")
def test_runs_are_evaluated_and_the_result_outlives_the_database(
    runs: list[RunFolder], cli: Run, cli_json: Callable[..., Any], tmp_path: Path
) -> None:
    found = cli_json("evaluate", "--filter", "data:mine", "--targets", "last", "--json")
    assert [(each["run"], each["problem"]) for each in found] == [
        ("markov-mine", None),
        ("popularity-mine", None),
    ]
    stored = kept(tmp_path)
    assert {run: list(rules) for run, rules in stored.items()} == {
        "markov-mine": ["temporal-last"],
        "popularity-mine": ["temporal-last"],
    }
    metrics = found[0]["evaluation"]["metrics"]
    assert stored["markov-mine"]["temporal-last"]["metrics"] == metrics
    with closing(connect_writer(StoreLocation(tmp_path / "runs.db"))) as con, write(con):
        con.execute("DELETE FROM evaluations")  # as if it was killed before it told the store
    written = runs[1].evaluation("temporal-last").stat().st_mtime_ns
    said = cli("evaluate", "markov-mine", "--targets", "last")
    assert said.exit_code == 0
    assert runs[1].evaluation("temporal-last").stat().st_mtime_ns == written
    assert kept(tmp_path) == {"markov-mine": stored["markov-mine"]}
    assert "temporal valid_share=0.2 test_share=0.2, last" in said.stdout
    assert f"{metrics['test_ndcg']:.4f}" in said.stdout

    (tmp_path / "runs.db").unlink()
    assert cli("db", "rebuild").exit_code == 0
    assert kept(tmp_path) == stored

    shown = cli("show", "markov-mine").stdout
    assert "Under other rules" in shown
    assert f"{metrics['test_recall']:.4f}" in shown
    own = cli_json("show", "markov-mine", "--json")
    assert own["evaluations"] == stored["markov-mine"]
    assert own["figures"]["test_ndcg_best"] != metrics["test_ndcg"]
    compared = {row["run"]: row for row in cli_json("compare", "--format", "json")}
    assert compared["popularity-loo"]["evaluations"] == {}
    (rule,) = compared["markov-mine"]["evaluations"].items()
    assert rule[0] == "temporal-last"
    assert rule[1]["NDCG@10/test"] == metrics["test_ndcg"]
    assert rule[1]["Coverage@20/test"] == metrics["test_coverage_at_20"]


def test_an_archive_carries_evaluations(runs: list[RunFolder], cli: Run, tmp_path: Path) -> None:
    assert cli("evaluate", "markov-mine", "--targets", "first").exit_code == 0
    before = kept(tmp_path)
    assert all(KEPT.fullmatch(path.name) for path in runs[1].path.glob("evaluation-*"))
    with connect_reader(StoreLocation(tmp_path / "runs.db")) as con:
        for folder in runs:
            folder.meta.write_text(meta_text(con, folder.run_id))
    assert cli("export", "-o", "all.tar.zst").exit_code == 0
    (tmp_path / "there").mkdir()
    said = cli("--db", "there/runs.db", "import", "all.tar.zst")
    assert said.exit_code == 0, said.stderr
    assert kept(tmp_path / "there") == before


def test_what_cannot_be_evaluated_is_said(runs: list[RunFolder], cli: Run) -> None:
    said = cli("evaluate", "popularity-loo", "markov-mine", "--targets", "last")
    assert said.exit_code == 1
    assert "popularity-loo: leave-one-out ranks one target per user" in said.stderr
    assert "markov-mine" in said.stdout
    own = cli("evaluate", "markov-mine", "--targets", "successive")
    assert own.exit_code == 1
    assert "this is the rule that it was trained and tested under" in own.stderr
    runs[0].best_model.unlink()
    lost = cli("evaluate", "popularity-mine", "--targets", "last")
    assert "popularity-mine: The run has no weights: they are kept when it is done." in lost.stderr
    assert not runs[0].evaluations()


def test_a_process_that_dies_costs_only_the_run_that_it_was_at(
    runs: list[RunFolder], cli: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    code = tmp_path / "dies.py"
    code.write_text(
        "import os, sys\n"
        "from engine.worker.evaluate import __main__ as evaluate\n"
        "answer = evaluate._answer\n"
        "def dying(folder, question):\n"
        "    if folder.run_id.startswith('markov'):\n"
        "        sys.stderr.write('Killed\\n')\n"
        "        sys.stderr.flush()\n"
        "        os._exit(9)\n"
        "    return answer(folder, question)\n"
        "evaluate._answer = dying\n"
        "sys.exit(evaluate.main())\n"
    )

    monkeypatch.setattr("engine.asking.reevaluation.EVALUATE", (sys.executable, str(code)))
    said = cli("evaluate", "--filter", "data:mine", "--targets", "last")
    assert said.exit_code == 1
    assert "markov-mine: its evaluation ended early: Killed" in said.stderr
    assert "popularity-mine" in said.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("markov-mine",), "say which rule: --targets last, for example, or --own."),
        (("--targets", "last"), "Name runs, or choose them by --filter."),
        (("--filter", "model:sasrec", "--targets", "last"), "No run that is done matches."),
        (("nothing", "--targets", "last"), "There is no run 'nothing'"),
    ],
)
def test_wrong_usage_is_one_sentence(
    runs: list[RunFolder], cli: Run, arguments: tuple[str, ...], sentence: str
) -> None:
    said = cli("evaluate", *arguments)
    assert said.exit_code == 2
    assert sentence in said.stderr
