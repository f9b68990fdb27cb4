"""Workers as real processes: finished, cancelled, preempted, killed, out of disk."""

from __future__ import annotations

import math
import os
import signal
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from resource import RLIMIT_AS, RLIMIT_FSIZE
from typing import Any

import numpy as np
import pytest
from worker_process import is_stopped

from engine.config import load_catalogue
from engine.journal import NO_ROOM, JournalLine, read_journal
from engine.metrics import EPOCH_ENERGY, EPOCH_MEASURES, EPOCH_TIMES
from engine.runfolder import RunFolder
from engine.spec import RunSpec
from engine.specfile import save_spec
from engine.training.checkpoint import load_checkpoint

DEADLINE = 180.0
SMALL = {"users": 120, "items": 60, "interactions": 3_600}
ENDLESS = {"epochs": 100_000, "patience": 100_000}
OFTEN = {
    "engine.training.loop:CHECKPOINT_SECONDS": 0.0,
    "engine.worker.fence:LOOK_SECONDS": 0.0,
    "engine.worker.recorder:STEPS_PER_SECOND": 1e9,
}
"""A checkpoint of every epoch, a look for newer attempts at every update, a line of every step."""
MINE = {
    "name": "mine",
    "title": "Mine",
    "size": "small",
    "reader": "movielens-tab",
    "users": 199,
    "items": 40,
    "interactions": 2_985,
    "folder": "mine",
    "files": {"u.data": None},
}


def small_spec(source: dict[str, Any] | None = None, **overrides: Any) -> RunSpec:
    spec = load_catalogue().run_spec(
        "sasrec", "synthetic", 20, 7, overrides={"dim": 16, "epochs": 3} | overrides
    )
    source = source or spec.source.model_dump() | SMALL
    return RunSpec.model_validate(spec.model_dump() | {"source": source})


@pytest.fixture
def make_folder(tmp_path: Path) -> Callable[..., RunFolder]:
    def make(name: str = "run", **overrides: Any) -> RunFolder:
        folder = RunFolder(tmp_path / name)
        folder.path.mkdir()
        save_spec(folder, small_spec(**overrides), created=1.0)
        return folder

    return make


def lines(folder: RunFolder, kind: str, attempt: int = 1) -> list[JournalLine]:
    return [x for x in read_journal(folder.journal(attempt)).lines if x.kind == kind]


def exit_status(process: BaseProcess) -> int | None:
    process.join(DEADLINE)
    return process.exitcode


def wait_for(condition: Callable[[], bool], process: BaseProcess) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert process.is_alive(), "the worker ended too early"
        assert time.monotonic() < deadline, "the worker took too long"
        time.sleep(0.02)


def kill_halted(process: BaseProcess) -> None:
    """Kill a worker where it stops itself."""
    wait_for(lambda: is_stopped(process), process)
    process.kill()
    assert exit_status(process) == -signal.SIGKILL


def send(process: BaseProcess, number: int) -> None:
    assert process.pid is not None
    os.kill(process.pid, number)


def results(folder: RunFolder, attempts: range) -> list[dict[str, Any]]:
    """Every epoch as the newest attempt tells it, without times and energy."""
    measured = {*EPOCH_TIMES, *EPOCH_ENERGY}
    newest: dict[int, dict[str, Any]] = {}
    for attempt in attempts:
        for line in lines(folder, "epoch", attempt):
            kept = {key: value for key, value in line.fields.items() if key not in measured}
            newest[kept["epoch"]] = kept
    return [newest[epoch] for epoch in sorted(newest)]


def test_a_run_writes_all_that_is_promised(make_folder, start) -> None:
    folder = make_folder()
    assert exit_status(start(folder)) == 0, folder.log.read_text()

    journal = read_journal(folder.journal(1)).lines
    assert [x.seq for x in journal] == list(range(len(journal)))
    assert journal[0].kind == "start"
    facts = journal[0].fields
    assert facts["run"] == folder.run_id
    assert (facts["users"], facts["items"], facts["interactions"]) == tuple(SMALL.values())
    assert facts["device_kind"] == "cpu"
    assert facts["threads"] == 1
    assert journal[-1].kind == "end"
    assert journal[-1].fields["status"] == "done"
    assert journal[-1].fields["epochs_trained"] == 3
    one, many = (journal[-1].fields[f"users_per_second_{batch}"] for batch in (1, 256))
    assert 0 < one < many
    for line in lines(folder, "epoch"):
        assert set(EPOCH_MEASURES) <= set(line.fields)
        assert line.fields["gpu_memory_mib"] is None
    best = journal[-1].fields["best_epoch"]
    chosen = lines(folder, "epoch")[best - 1].fields
    ranks = np.load(folder.test_ranks, allow_pickle=False)
    assert ranks.shape == (2, SMALL["users"])
    assert (ranks[0] <= 10).mean() == pytest.approx(chosen["test_recall"])
    assert folder.best_model.exists()
    assert load_checkpoint(folder.checkpoint(1), small_spec().fingerprint()).epoch == 3


@pytest.mark.parametrize("last", [("checkpoint", 2), ("epoch", 3), ("step", 5)])
def test_a_killed_worker_is_resumed_with_nothing_lost_or_doubled(
    make_folder, start, last: tuple[str, int]
) -> None:
    """Killed when it has a checkpoint, between an epoch and its checkpoint, and in the third epoch
    of two steps each."""
    epochs = 5
    settings = {"epochs": epochs, "patience": epochs, "dim": 32}
    whole = make_folder("undisturbed", **settings)
    assert exit_status(start(whole, constants=OFTEN)) == 0
    folder = make_folder("killed", **settings)
    kill_halted(start(folder, halt=last, constants=OFTEN))
    assert not lines(folder, "end")

    assert exit_status(start(folder, attempt=2, constants=OFTEN)) == 0

    resumed = lines(folder, "start", 2)[0].fields["resumed_epoch"]
    assert resumed == lines(folder, "checkpoint")[-1].fields["epoch"] > 0
    saying = [
        *lines(folder, "checkpoint"),
        *lines(folder, "checkpoint", 2),
        *lines(folder, "end", 2),
    ]
    written = [line.fields["log_bytes"] for line in saying]
    assert written == sorted(written)
    assert written[-1] <= folder.log.stat().st_size
    trained = [x.fields["epoch"] for x in lines(folder, "epoch", 2)]
    assert trained == list(range(resumed + 1, epochs + 1))
    assert results(folder, range(1, 3)) == results(whole, range(1, 2))
    ranks = [np.load(one.test_ranks, allow_pickle=False) for one in (folder, whole)]
    assert np.array_equal(*ranks)


@pytest.mark.parametrize(
    ("marked", "number", "status"),
    [
        (True, signal.SIGTERM, "cancelled"),
        (False, signal.SIGTERM, "preempted"),
        (False, signal.SIGUSR2, "preempted"),
    ],
)
def test_a_signal_ends_it_in_order(
    make_folder, start, marked: bool, number: signal.Signals, status: str
) -> None:
    folder = make_folder(**ENDLESS)
    process = start(folder)
    wait_for(lambda: bool(lines(folder, "epoch")), process)
    if marked:
        folder.cancel.touch()
    send(process, number)
    assert exit_status(process) == 0
    assert [x.fields["status"] for x in lines(folder, "end")] == [status]


def test_a_hang_up_does_not_stop_training(make_folder, start) -> None:
    folder = make_folder(**ENDLESS)
    process = start(folder)
    wait_for(lambda: bool(lines(folder, "epoch")), process)
    send(process, signal.SIGHUP)
    epochs = len(lines(folder, "epoch"))
    wait_for(lambda: len(lines(folder, "epoch")) > epochs + 2, process)


def test_a_second_worker_of_the_same_run_does_nothing(make_folder, start) -> None:
    folder = make_folder(**ENDLESS)
    first = start(folder)
    wait_for(lambda: bool(lines(folder, "start")), first)
    assert exit_status(start(folder, attempt=2)) == 0
    assert not folder.journal(2).exists()
    assert first.is_alive()


def test_an_attempt_whose_time_is_over_does_nothing(make_folder, start) -> None:
    folder = make_folder(**ENDLESS)
    folder.journal(2).touch()
    assert exit_status(start(folder)) == 0
    assert exit_status(start(folder, attempt=2)) == 0
    assert not folder.journal(1).exists()
    assert folder.journal(2).read_text() == ""
    assert "has had its turn" in folder.log.read_text()


def test_an_attempt_ends_itself_once_a_newer_one_began(make_folder, start) -> None:
    """A worker that is out of everyone's sight, where locks don't reach."""
    folder = make_folder(**ENDLESS)
    process = start(folder, constants=OFTEN)
    wait_for(lambda: bool(lines(folder, "epoch")), process)
    folder.journal(2).touch()
    assert exit_status(process) == 0
    assert [x.fields["cause"] for x in lines(folder, "end")] == ["superseded"]
    assert not folder.test_ranks.exists()
    assert not folder.best_model.exists()


def test_what_a_killed_worker_was_just_writing_is_removed_by_the_next(make_folder, start) -> None:
    folder = make_folder(**ENDLESS)
    process = start(folder, constants=OFTEN)

    def stands_still_while_it_writes() -> bool:
        send(process, signal.SIGSTOP)
        wait_for(lambda: is_stopped(process), process)
        if folder.half_written():
            return True
        send(process, signal.SIGCONT)
        return False

    wait_for(lambda: bool(lines(folder, "checkpoint")), process)
    wait_for(stands_still_while_it_writes, process)
    (left,) = folder.half_written()
    process.kill()
    assert exit_status(process) == -signal.SIGKILL
    second = start(folder, attempt=2, constants=OFTEN)
    wait_for(lambda: bool(lines(folder, "start", attempt=2)), second)
    assert left.name.startswith(".checkpoint-1.pt.")
    assert not left.exists()


def test_missing_data_is_one_sentence(make_folder, start, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "no-data")
    folder.path.mkdir()
    save_spec(folder, load_catalogue().run_spec("sasrec", "ml-100k", 50, 1), created=1.0)
    surroundings = {k: v for k, v in os.environ.items() if k != "SEQBENCH_DATA"}
    assert exit_status(start(folder, environment=surroundings)) == 1
    end = lines(folder, "end")[0].fields
    assert (end["status"], end["cause"]) == ("failed", "data")
    assert "seqbench data fetch ml-100k" in end["message"]
    assert "Traceback" not in folder.log.read_text()


def test_without_room_for_a_last_word_the_exit_status_says_it(make_folder, start) -> None:
    folder = make_folder(**ENDLESS)
    never = {"engine.training.loop:CHECKPOINT_SECONDS": math.nan}  # the journal meets it
    process = start(folder, limits={RLIMIT_FSIZE: 30_000}, constants=OFTEN | never)
    assert exit_status(process) == NO_ROOM
    assert not lines(folder, "end")
    assert "Traceback" not in folder.log.read_text()
    assert not folder.reserve.exists()


def test_memory_that_runs_out_is_said(make_folder, start) -> None:
    folder = make_folder(dim=8192, heads=2)
    # Enough to begin, too little for one of its layers.
    process = start(folder, limits={RLIMIT_AS: 2 << 30})
    assert exit_status(process) == 1, folder.log.read_text()
    end = lines(folder, "end")[0].fields
    assert (end["status"], end["cause"]) == ("failed", "out-of-memory")


def test_a_data_set_that_is_gone_is_said_and_the_run_goes_on_once_it_is_back(
    make_folder, start, tmp_path: Path
) -> None:
    data = tmp_path / "data" / "mine" / "u.data"
    data.parent.mkdir(parents=True)
    ratings = [f"{u}\t{1 + (u + n) % 40}\t5\t{n}\n" for u in range(1, 200) for n in range(15)]
    data.write_text("".join(ratings))
    folder = make_folder(source=MINE, **ENDLESS)
    environment = os.environ | {"SEQBENCH_DATA": str(tmp_path / "data")}
    first = start(folder, environment=environment, constants=OFTEN)
    wait_for(lambda: bool(lines(folder, "checkpoint")), first)
    aside = data.rename(tmp_path / "aside")
    before = len(lines(folder, "epoch"))
    wait_for(lambda: len(lines(folder, "epoch")) > before + 2, first)  # it has its data in memory
    first.kill()
    first.join()

    assert exit_status(start(folder, attempt=2, environment=environment)) == 1
    end = lines(folder, "end", 2)[0].fields
    assert (end["status"], end["cause"]) == ("failed", "data")
    assert "Mine is not on this machine: put u.data into" in end["message"]

    aside.rename(data)
    third = start(folder, attempt=3, environment=environment)
    wait_for(lambda: bool(lines(folder, "epoch", 3)), third)
    assert lines(folder, "start", 3)[0].fields["resumed_epoch"] > 0


def test_a_full_disk_fails_with_the_cure(make_folder, start) -> None:
    folder = make_folder(dim=256, epochs=50)
    limit = 400_000  # enough for a journal, too little for a checkpoint
    process = start(folder, limits={RLIMIT_FSIZE: limit}, constants=OFTEN)
    assert exit_status(process) == 1
    end = lines(folder, "end")[0].fields
    assert (end["status"], end["cause"]) == ("failed", "disk-full")
    assert lines(folder, "epoch"), "what was trained before stays"


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    path.write_bytes(data)


def test_a_damaged_checkpoint_is_said_and_the_one_before_is_used(make_folder, start) -> None:
    folder = make_folder()
    assert exit_status(start(folder, constants=OFTEN)) == 0
    assert [x.fields["epoch"] for x in lines(folder, "checkpoint")] == [1, 2, 3]
    flip(folder.checkpoint(1))

    assert exit_status(start(folder, attempt=2)) == 0

    assert "checkpoint-1.pt is damaged" in lines(folder, "warning", 2)[0].fields["message"]
    assert lines(folder, "start", 2)[0].fields["resumed_epoch"] == 2
    assert results(folder, range(1, 3)) == results(folder, range(1, 2))


def test_without_any_whole_checkpoint_it_begins_again(make_folder, start) -> None:
    folder = make_folder()
    assert exit_status(start(folder)) == 0
    flip(folder.checkpoint(1))
    flip(folder.checkpoint_before(1))
    assert exit_status(start(folder, attempt=2)) == 0
    assert lines(folder, "start", 2)[0].fields["resumed_epoch"] == 0
    assert results(folder, range(2, 3)) == results(folder, range(1, 2))
