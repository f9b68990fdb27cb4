"""Predictions for single users, by a real process from a run folder."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.asking.predictions import predictions
from engine.config import load_catalogue
from engine.datasets.load import open_data
from engine.datasets.prepared import ids_checksum
from engine.datasets.splitting.splits import split_data
from engine.errors import DataError
from engine.models.registry import definition_of
from engine.runfolder import RunFolder
from engine.spec import RunSpec
from engine.specfile import load_spec, save_spec
from engine.training.ranking.evaluation import evaluation_set, flat_histories, ranks
from engine.training.ranking.recommend import predict, trained_model
from engine.worker import recommend

RATINGS = "".join(
    f"u{user},{item},{step}\n"
    for user in range(1, 9)
    for step, item in enumerate((user, user + 3, user + 1, 2, user + 5, user)[: 2 + user])
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A run whose weights are those that it would begin with."""
    monkeypatch.setenv("SEQBENCH_DATA", str(tmp_path / "data"))
    (tmp_path / "data" / "mine").mkdir(parents=True)
    (tmp_path / "data" / "mine" / "r.csv").write_text(f"who,what,when\n{RATINGS}")
    (tmp_path / "data" / "mine" / "titles.csv").write_bytes(
        b'movieId,title\n2,Zwei\n3,"Drei, die"\n'
    )
    spec = load_catalogue().run_spec("sasrec", "synthetic", 4, 7, overrides={"dim": 16})
    source = {
        "name": "mine", "title": "Mine", "size": "small", "reader": "table", "folder": "mine",
        "columns": {"user": "who", "item": "what", "time": "when"}, "files": {"r.csv": None},
        "titles": "titles.csv", "users": 8, "items": 13, "interactions": 45,
    }  # fmt: skip
    made = RunFolder(tmp_path / "run")
    made.path.mkdir()
    spec = RunSpec.model_validate(spec.model_dump() | {"source": source, "dataset": "mine"})
    save_spec(made, spec, created=1.0)
    torch.manual_seed(0)
    items = open_data(spec.source).interactions.num_items
    torch.save(
        definition_of(spec).build(spec.architecture.settings, items, spec.length).state_dict(),
        made.best_model,
    )
    return made


def test_ranks_are_those_of_evaluation(folder: RunFolder) -> None:
    spec = load_spec(folder)
    split = split_data(open_data(spec.source).interactions, spec.source)
    model = trained_model(
        spec, definition_of(spec), folder.best_model, split.interactions.num_items
    )
    flat = flat_histories(split.interactions, torch.device("cpu"))
    expected = ranks(model, evaluation_set(split, "test", spec.length, flat), 3)
    found = [predict(model, split, user, 5) for user in split.test.users.tolist()]
    assert [one.rank for one in found] == expected[0].tolist()
    assert [one.rank_masked for one in found] == expected[1].tolist()
    assert [one.true for one in found] == split.targets("test").tolist()
    for one in found:
        scores = [score for _, score, _ in one.top]
        assert scores == sorted(scores, reverse=True)
        assert len({item for item, _, _ in one.top}) == 5
        if one.rank is not None and one.rank <= 5:
            assert one.top[one.rank - 1][0] == one.true
    masked = predict(model, split, int(split.test.users[0]), 50, mask_seen=True)
    own = split.interactions
    before = own.items[own.offsets[0] : own.offsets[1] - 1]
    assert not {item for item, _, _ in masked.top} & set(np.unique(before).tolist())


@pytest.mark.usefixtures("own_process")
def test_a_process_names_users_and_items(folder: RunFolder) -> None:
    found = predictions(folder, "u8", top=3)
    (one,) = found.users
    assert (found.dataset, found.tested, one.user) == ("mine", 8, "u8")
    assert [item.id for item in one.history] == ["11", "9", "2", "13"]
    assert [item.title for item in one.history] == ["", "", "Zwei", ""]
    assert one.true is not None
    assert one.true.id == "8"
    assert len(one.top) == 3


def test_a_run_without_weights_says_so(folder: RunFolder) -> None:
    folder.best_model.unlink()
    with pytest.raises(DataError, match="has no weights: they are kept when it is done"):
        predictions(folder, "u8")


Problem = Callable[[str], str]


@pytest.fixture
def problem(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Problem]:
    """What the process would say of a user, without one."""

    def problem_with(user: str) -> str:
        monkeypatch.setattr(sys, "argv", ["recommend", str(folder.path), f"--user={user}"])
        assert recommend.main() == 0
        return str(json.loads(capsys.readouterr().out)["problem"])

    before = signal.getsignal(signal.SIGINT)
    yield problem_with
    signal.signal(signal.SIGINT, before)


def test_a_user_that_is_not_there_is_said(problem: Problem) -> None:
    assert problem("nobody").startswith("mine has no user 'nobody': its users are named as u1")


def test_weights_of_other_data_are_refused(
    folder: RunFolder, problem: Problem, tmp_path: Path
) -> None:
    with (tmp_path / "data" / "mine" / "r.csv").open("a") as file:
        file.write("u1,99,50\n")
    assert "don't fit mine as it is here, with 14 items" in problem("u8")
    folder.best_model.write_bytes(b"no weights")
    assert "is damaged" in problem("u8")


def test_a_model_is_not_asked_about_other_data(
    folder: RunFolder, problem: Problem, tmp_path: Path
) -> None:
    own = open_data(load_spec(folder).source)
    checksum = own.interactions.checksum
    begun = {"seq": 0, "t": 1.0, "kind": "start", "checksum": checksum, "ids": ids_checksum(own)}
    folder.journal(1).write_text(json.dumps(begun) + "\n")
    assert predictions(folder, "u8").users
    data = tmp_path / "data" / "mine" / "r.csv"
    whole = data.read_text()
    data.write_text(whole.replace("u8,11,1\nu8,9,2\n", "u8,9,1\nu8,11,2\n"))
    said = problem("u8")
    assert said.startswith(f"{data} holds other data than the run was trained on (checksum ")
    assert f"not {checksum[:12]}" in said
    data.write_text(whole.replace(",13,", ",14,"))
    assert open_data(load_spec(folder).source).interactions.checksum == checksum
    assert f"{data} calls users or items otherwise" in problem("u8")
