"""What a finished run of an earlier version lacks of its own results, without training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from timed_runs import as_earlier, timed_data, timed_run

from engine.errors import DataError
from engine.journal import read_journal
from engine.metrics import LIST_RESULTS, RANK_RESULTS
from engine.results.files import read_results
from engine.runfolder import RunFolder
from engine.worker.evaluate.ownresults import complete

SPLITS = (
    {"kind": "leave-one-out"},
    {"kind": "temporal", "valid_share": 0.2, "test_share": 0.2, "targets": "successive"},
    {"kind": "temporal", "valid_share": 0.2, "test_share": 0.2, "targets": "first"},
)


@pytest.fixture(autouse=True)
def data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    return timed_data(monkeypatch, tmp_path)


def old_run(
    tmp_path: Path, model: str = "popularity", split: dict[str, Any] = SPLITS[0]
) -> tuple[RunFolder, dict[str, float]]:
    settings = {} if model == "popularity" else {"epochs": 2}
    folder = timed_run(tmp_path / "runs", f"{model}-old", model, split, **settings)
    return folder, as_earlier(folder)


@pytest.mark.parametrize("split", SPLITS, ids=["loo", "successive", "first"])
@pytest.mark.parametrize("model", ["popularity", "sasrec"])
def test_an_old_run_gets_what_its_end_would_have_told(
    tmp_path: Path, model: str, split: dict[str, Any]
) -> None:
    folder, told = old_run(tmp_path, model, split)
    before = {path.name: path.read_bytes() for path in folder.path.iterdir()}
    assert complete(folder) == ""
    assert read_results(folder) == told
    assert told.keys() & LIST_RESULTS.keys()
    assert {"test_ndcg_head", "test_recall_tail", "test_ndcg_warm"} <= told.keys()
    after = {path.name: path.read_bytes() for path in folder.path.iterdir()}
    assert after.pop("results.json")
    assert after == before


def test_a_run_of_protocol_1_is_split_as_it_was(tmp_path: Path) -> None:
    folder, told = old_run(tmp_path, split=SPLITS[2])
    spec = json.loads(folder.spec.read_text())
    spec["spec"]["protocol"] = 1
    del spec["spec"]["source"]["split"]["targets"]
    folder.spec.write_text(json.dumps(spec))
    complete(folder)
    assert read_results(folder) == told
    assert json.loads(folder.results.read_text())["protocol"] == 1


def test_without_its_model_a_run_gets_the_parts_alone(tmp_path: Path) -> None:
    folder, told = old_run(tmp_path)
    of_ranks = {name: value for name, value in told.items() if name in RANK_RESULTS}
    assert complete(folder, no_model="it may not be run.") == "it may not be run."
    assert read_results(folder) == of_ranks
    folder.best_model.unlink()
    assert complete(folder) == "The run has no weights: they are kept when it is done."
    assert read_results(folder) == of_ranks


def test_ranks_of_other_targets_are_refused(tmp_path: Path) -> None:
    folder, _ = old_run(tmp_path, split=SPLITS[1])
    ranks, users = (
        np.load(path, allow_pickle=False) for path in (folder.test_ranks, folder.test_users)
    )
    moved = users.copy()
    moved[users == users[-1]] += 1
    np.save(folder.test_users, moved)
    with pytest.raises(DataError, match="or those of other users: they don't belong"):
        complete(folder)
    folder.test_users.unlink()
    with pytest.raises(DataError, match=f"its ranks are of {ranks.shape[1]} targets"):
        complete(folder)
    np.save(folder.test_users, users[1:])
    np.save(folder.test_ranks, ranks[:, 1:])
    with pytest.raises(DataError, match=f"of {len(users) - 1} targets.* has {len(users)} here"):
        complete(folder)
    np.save(folder.test_ranks, -ranks)
    with pytest.raises(DataError, match=r"can't be read: a rank below 1\."):
        complete(folder)
    folder.test_ranks.unlink()
    with pytest.raises(DataError, match="its folder has no ranks of the test targets"):
        complete(folder)
    assert not folder.results.exists()


def test_other_data_is_refused(tmp_path: Path, data: Path) -> None:
    folder, _ = old_run(tmp_path)
    data.write_text(data.read_text().replace("u0,", "u1,", 1))
    with pytest.raises(DataError, match="holds other data than the run was trained on"):
        complete(folder)
    data.unlink()
    with pytest.raises(DataError):
        complete(folder)
    assert not folder.results.exists()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("[]", "not results of a run"),
        ("{", "Expecting property name"),
        ('{"format": 2, "results": {}}', "not results of this version"),
        ('{"format": 1, "results": {"test_mrr_at_5": NaN}}', "a result that is no number"),
        ('{"format": 1, "results": {"test_mrr_at_5": "much"}}', "could not convert"),
        ('{"format": 1, "results": [1]}', "not results of a run"),
    ],
)
def test_what_is_no_file_of_results_is_refused(tmp_path: Path, content: str, sentence: str) -> None:
    folder = RunFolder(tmp_path)
    folder.results.write_text(content)
    with pytest.raises(ValueError, match=sentence):
        read_results(folder)


def test_the_journal_of_a_run_of_today_tells_them(tmp_path: Path) -> None:
    folder = timed_run(tmp_path / "runs", "now", "popularity", SPLITS[1])
    end = read_journal(folder.journal(1)).lines[-1]
    complete(folder)
    assert read_results(folder) == end.fields["results"]
