"""Models of each kind in real workers: whole, killed and resumed, asked for recommendations."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from own_models import FITTED, OWN, TIMED, Clock, with_model
from worker_process import is_stopped

from engine.config import load_catalogue
from engine.journal import JournalLine, read_journal
from engine.metrics import EPOCH_ENERGY, EPOCH_TIMES
from engine.models import Definition
from engine.runfolder import RunFolder
from engine.spec import RunSpec
from engine.specfile import save_spec
from engine.worker import recommend
from engine.worker.chosen import chosen_of

DEADLINE = 180.0
OFTEN = {
    "engine.training.loop:CHECKPOINT_SECONDS": 0.0,
    "engine.worker.fence:LOOK_SECONDS": 0.0,
    "engine.worker.recorder:STEPS_PER_SECOND": 1e9,
}


def fitted(*_: object) -> Definition:
    return FITTED


def own(*_: object) -> Definition:
    return OWN


def timed(*_: object) -> Definition:
    return TIMED


KINDS = {"fitted": fitted, "own": own, "timed": timed}


@pytest.fixture
def make_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., RunFolder]:
    """A run's folder, on data that have times."""
    rows = []
    for user in range(60):
        for place in range(6 + user % 20):
            item = 1 + (user * 7 + place * (1 + user % 3)) % 40
            rows.append(f"{user}\t{item}\t5\t{1_000_000 + 60 * user + 3_600 * place}\n")
    data = tmp_path / "data" / "mine"
    data.mkdir(parents=True)
    (data / "u.data").write_text("".join(rows))
    monkeypatch.setenv("SEQBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("SEQBENCH_CACHE", str(tmp_path / "cache"))
    source = {
        "name": "mine",
        "title": "Mine",
        "size": "small",
        "reader": "movielens-tab",
        "users": 60,
        "items": 40,
        "interactions": len(rows),
        "folder": "mine",
        "files": {"u.data": None},
    }
    overrides = {"epochs": 4, "patience": 4, "batch_size": 16}
    spec = load_catalogue().run_spec("sasrec", "ml-100k", 12, 3, overrides=overrides)
    spec = RunSpec.model_validate(spec.model_dump() | {"source": source, "dataset": "mine"})

    def make(kind: str, name: str = "run") -> RunFolder:
        folder = RunFolder(tmp_path / name)
        folder.path.mkdir()
        definition = KINDS[kind]()
        settings = {"dropout": 0.2} if kind == "own" else {}
        save_spec(folder, with_model(spec, definition, **settings), created=1.0)
        return folder

    return make


def lines(folder: RunFolder, kind: str, attempt: int = 1) -> list[JournalLine]:
    return [x for x in read_journal(folder.journal(attempt)).lines if x.kind == kind]


def results(folder: RunFolder, attempts: int) -> list[dict[str, Any]]:
    """Every epoch as the newest attempt tells it, without times."""
    newest: dict[int, dict[str, Any]] = {}
    for attempt in range(1, attempts + 1):
        for line in lines(folder, "epoch", attempt):
            measured = {*EPOCH_TIMES, *EPOCH_ENERGY}
            kept = {key: value for key, value in line.fields.items() if key not in measured}
            newest[kept["epoch"]] = kept
    return [newest[epoch] for epoch in sorted(newest)]


def end(process: BaseProcess, folder: RunFolder) -> None:
    process.join(DEADLINE)
    assert process.exitcode == 0, folder.log.read_text()


def kill_halted(process: BaseProcess) -> None:
    """Kill a worker where it stops itself."""
    deadline = time.monotonic() + DEADLINE
    while not is_stopped(process):
        assert process.is_alive(), "the worker ended too early"
        assert time.monotonic() < deadline, "the worker took too long"
        time.sleep(0.02)
    process.kill()
    process.join(DEADLINE)
    assert process.exitcode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("kind", "last"),
    [
        ("fitted", ("checkpoint", 2)),
        ("fitted", ("epoch", 3)),
        ("own", ("step", 9)),
        ("timed", ("epoch", 3)),
    ],
)
def test_a_killed_worker_is_resumed_with_nothing_lost_or_doubled(
    make_folder, start, kind: str, last: tuple[str, int]
) -> None:
    constants = OFTEN | {"engine.worker.attempt:definition_of": KINDS[kind]}
    conditions = {"environment": dict(os.environ), "constants": constants}
    whole = make_folder(kind, "undisturbed")
    end(start(whole, **conditions), whole)
    folder = make_folder(kind, "killed")
    kill_halted(start(folder, halt=last, **conditions))
    assert not lines(folder, "end")
    end(start(folder, attempt=2, **conditions), folder)

    resumed = lines(folder, "start", 2)[0].fields["resumed_epoch"]
    assert resumed == lines(folder, "checkpoint")[-1].fields["epoch"] > 0
    assert [x.fields["epoch"] for x in lines(folder, "epoch", 2)] == list(range(resumed + 1, 5))
    assert results(folder, 2) == results(whole, 1)
    ranks = [np.load(one.test_ranks, allow_pickle=False) for one in (folder, whole)]
    assert np.array_equal(*ranks)


def test_a_cancelled_fit_says_so(make_folder, start) -> None:
    folder = make_folder("fitted")
    constants = OFTEN | {"engine.worker.attempt:definition_of": fitted}
    halted = start(folder, halt=("epoch", 2), environment=dict(os.environ), constants=constants)
    deadline = time.monotonic() + DEADLINE
    while not is_stopped(halted):
        assert halted.is_alive(), folder.log.read_text()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    folder.cancel.touch()
    assert halted.pid is not None
    os.kill(halted.pid, signal.SIGTERM)
    os.kill(halted.pid, signal.SIGCONT)
    end(halted, folder)
    assert lines(folder, "end")[0].fields["status"] == "cancelled"
    assert len(lines(folder, "epoch")) == 2


def test_a_fitted_run_tells_its_combinations_and_recommends_by_the_chosen_one(
    make_folder, start, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_folder("fitted")
    constants = OFTEN | {"engine.worker.attempt:definition_of": fitted}
    end(start(folder, environment=dict(os.environ), constants=constants), folder)
    begun = lines(folder, "start")[0].fields
    assert (begun["epochs"], begun["patience"], begun["steps_per_epoch"]) == (4, None, 1)
    assert not lines(folder, "step")
    epochs = [line.fields for line in lines(folder, "epoch")]
    assert [epoch["settings"] for epoch in epochs] == [
        {"share": share} for share in FITTED.grid["share"]
    ]
    assert {epoch[name] for epoch in epochs for name in ("loss", "grad_norm", "lr")} == {None}
    assert all(epoch["train_seconds"] > 0 for epoch in epochs)
    ended = lines(folder, "end")[0].fields
    assert (ended["status"], ended["cause"]) == ("done", "completed")
    assert ended["users_per_second_256"] > 0
    chosen = chosen_of(folder)
    assert chosen is not None
    assert chosen.settings == epochs[ended["best_epoch"] - 1]["settings"]

    # As its own process, but for the definition.
    monkeypatch.setattr("engine.worker.trained.definition_of", fitted)
    arguments = ["recommend", str(folder.path), "--count", "30"]
    monkeypatch.setattr("sys.argv", arguments)
    before = signal.getsignal(signal.SIGINT)
    try:
        recommend.main()
    finally:
        signal.signal(signal.SIGINT, before)
    answer = json.loads(capsys.readouterr().out)
    ranks = np.load(folder.test_ranks, allow_pickle=False)
    assert [user["rank"] for user in answer["users"]] == ranks[0][:30].tolist()


def test_the_run_says_that_only_its_model_reads_times(make_folder, start) -> None:
    """A model that reads times, where the data have them, and its speed is measured with them."""
    folder = make_folder("timed")
    constants = OFTEN | {"engine.worker.attempt:definition_of": timed}
    end(start(folder, environment=dict(os.environ), constants=constants), folder)
    with_times = results(folder, 1)
    assert lines(folder, "end")[0].fields["users_per_second_1"] > 0
    plain = make_folder("timed", "plain")
    constants = OFTEN | {"engine.worker.attempt:definition_of": timeless}
    end(start(plain, environment=dict(os.environ), constants=constants), plain)
    assert [epoch["loss"] for epoch in results(plain, 1)] != [e["loss"] for e in with_times]


class Timeless(Clock):
    def hidden(self, items: Any, times: Any = None, *, last_only: bool = False) -> Any:
        assert times is not None
        return super().hidden(items, None, last_only=last_only)


def timeless(*_: object) -> Definition:
    return replace(TIMED, module=Timeless)
