"""``seqbench evaluate --own``: what runs of earlier versions lack of their own results."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from timed_runs import as_earlier, timed_data, timed_run

from engine.interchange.manifest import KEPT
from engine.metrics import RANK_RESULTS, RESULT_OF
from engine.runfolder import RunFolder
from engine.store.connect import connect_reader, connect_writer
from engine.store.database import write
from engine.store.intake.folders import meta_text
from engine.store.intake.results import kept_results
from engine.store.location import StoreLocation

Run = Callable[..., Result]

TEMPORAL = {"kind": "temporal", "valid_share": 0.2, "test_share": 0.2}
ALONE = {name for name, result in RANK_RESULTS.items() if not result.scope}
"""Results that ranks give by themselves."""


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, float]]:
    """Two runs of an earlier version and one of today, with the results that they had at their
    end."""
    timed_data(monkeypatch, tmp_path)
    runs = tmp_path / "runs"
    found = {
        f"{model}-old": as_earlier(timed_run(runs, f"{model}-old", model, TEMPORAL))
        for model in ("markov", "popularity")
    }
    now = timed_run(runs, "popularity-now", "popularity", {}, name="other")
    end = json.loads(now.journal(1).read_text().splitlines()[-1])
    return found | {"popularity-now": end["results"]}


def stored(folder: Path, *runs: str) -> dict[str, dict[str, float]]:
    with closing(connect_reader(StoreLocation(folder / "runs.db"))) as con:
        return kept_results(con, runs)


def test_old_runs_are_completed_once_and_for_all(
    old: dict[str, dict[str, float]], cli: Run, cli_json: Callable[..., Any], tmp_path: Path
) -> None:
    assert cli("db", "rebuild").exit_code == 0
    before = cli_json("compare", "--format", "json")
    earlier = stored(tmp_path, "markov-old")["markov-old"]
    assert earlier.keys() == ALONE
    found = cli_json("evaluate", "--own", "--filter", "state:done", "--json")
    assert {each["run"]: each["results"] for each in found} == old
    assert [(each["run"], each["had"]) for each in found] == [
        ("markov-old", False), ("popularity-now", True), ("popularity-old", False),
    ]  # fmt: skip
    assert stored(tmp_path, *old) == old
    after = cli_json("compare", "--format", "json")
    for was, now in zip(before, after, strict=True):
        assert {name: now[name] for name, value in was.items() if value is not None} == {
            name: value for name, value in was.items() if value is not None
        }
    found = cli_json("compare", "--filter", "recall_tail>=0 coverage@10>0", "--format", "json")
    assert {row["run"] for row in found} == old.keys()

    file = tmp_path / "runs" / "markov-old" / "results.json"
    written = file.stat().st_mtime_ns
    again = cli("evaluate", "--own", "markov-old")
    assert (again.exit_code, again.stdout) == (0, "")
    assert "1 run had all results already." in again.stderr
    (tmp_path / "runs.db").unlink()
    assert cli("db", "rebuild").exit_code == 0
    assert stored(tmp_path, *old) == old
    with closing(connect_writer(StoreLocation(tmp_path / "runs.db"))) as con, write(con):
        con.execute(f"UPDATE summaries SET {', '.join(f'{name} = NULL' for name in RESULT_OF)}")
    said = cli("evaluate", "--own", "markov-old")  # as if it was killed before it told the store
    assert f"{old['markov-old']['test_recall_tail']:.4f}" in said.stdout
    assert stored(tmp_path, "markov-old")["markov-old"] == old["markov-old"]
    assert file.stat().st_mtime_ns == written


def test_an_archive_carries_them(
    old: dict[str, dict[str, float]], cli: Run, tmp_path: Path
) -> None:
    assert cli("db", "rebuild").exit_code == 0
    assert cli("evaluate", "--own", "markov-old").exit_code == 0
    assert KEPT.fullmatch("results.json")
    location = StoreLocation(tmp_path / "runs.db")
    with closing(connect_reader(location)) as con:
        for folder in location.folders():
            folder.meta.write_text(meta_text(con, folder.run_id))
    assert cli("export", "-o", "all.tar.zst").exit_code == 0
    (tmp_path / "there").mkdir()
    assert cli("--db", "there/runs.db", "import", "all.tar.zst").exit_code == 0
    found = stored(tmp_path / "there", *old)
    assert found["markov-old"] == old["markov-old"]
    assert found["popularity-old"].keys() == ALONE


def test_what_cannot_be_completed_is_said_of_each_run(
    old: dict[str, dict[str, float]], cli: Run, tmp_path: Path
) -> None:
    (tmp_path / "runs" / "popularity-old" / "test_ranks.npy").unlink()
    spec = tmp_path / "runs" / "markov-old" / "spec.json"
    content = json.loads(spec.read_text())
    content["spec"]["code"] = {"file": "mine.py", "sha256": "0" * 64}
    spec.write_text(json.dumps(content))
    assert cli("db", "rebuild").exit_code == 0
    said = cli("evaluate", "--own", "--filter", "data:mine")
    assert said.exit_code == 1
    assert "popularity-old: its folder has no ranks of the test targets." in said.stderr
    lacks = "it has no values of what is recommended: markov-old needs mine.py as it was then"
    assert lacks in said.stderr
    found = stored(tmp_path, *old)
    of_ranks = {name: old["markov-old"][name] for name in old["markov-old"] if name in RANK_RESULTS}
    assert found["markov-old"] == of_ranks
    assert not found["popularity-old"]

    (tmp_path / "data" / "mine" / "r.csv").unlink()
    RunFolder(tmp_path / "runs" / "markov-old").results.unlink()
    gone = cli("evaluate", "--own", "markov-old")
    assert gone.exit_code == 1
    assert "markov-old: " in gone.stderr
    assert "r.csv" in gone.stderr


def test_it_takes_no_rule(old: dict[str, dict[str, float]], cli: Run) -> None:
    assert cli("db", "rebuild").exit_code == 0
    said = cli("evaluate", "--own", "markov-old", "--targets", "last")
    assert said.exit_code == 2
    assert "--own is the run's own rule: leave out --targets and --split." in said.stderr
