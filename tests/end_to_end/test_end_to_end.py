"""The main job with real processes: launch, lose the terminal, lose processes, compare, rebuild."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import signal
import stat
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from user_lab import DEADLINE, LONG, SMALL, Lab

from engine.metrics import REFERENCE_COLUMNS
from engine.store import series
from engine.store.connect import connect_reader

GPU_COLUMNS = {"GPU/Memory(MiB)", "GPU/Utilization(%)"}


@pytest.fixture(scope="module")
def long_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One with a run that trains till it is told otherwise."""
    lab = Lab(tmp_path_factory.mktemp("training"))
    lab.run("run", "--model", "sasrec", "--dataset", "synthetic", *LONG, *SMALL)
    yield lab
    lab.end()


@pytest.fixture
def training(long_lab: Lab) -> Lab:
    """The same in training, whatever the test before did to it."""
    if long_lab.only_run().state == "cancelled":
        long_lab.run("retry", long_lab.only_run().id)
    long_lab.wait_until(lambda: long_lab.only_run().state == "running", "it to train")
    long_lab.goes_on()
    return long_lab


@pytest.mark.parametrize(
    "models", [("sasrec", "xlstm"), pytest.param(("bert4rec", "sasrec"), marks=pytest.mark.slow)]
)
def test_launch_wait_compare_rebuild(lab: Lab, models: tuple[str, ...]) -> None:
    lab.run(
        *("run", "--model", ",".join(models), "--dataset", "tiny"),
        *("--length", "8", "--set", "epochs=2", "--wait", *SMALL),
    )
    assert_users_alone(lab.made)
    before = lab.run("compare", "--format", "json")
    rows = json.loads(before)
    assert sorted(row["model"] for row in rows) == sorted(models)
    gpu = json.loads(lab.run("doctor", "--json"))
    has_gpu = any("NVIDIA" in finding["text"] for finding in gpu["findings"]) and all(
        row["GPU/Memory(MiB)"] is not None for row in rows
    )
    for row in rows:
        assert row["state"] == "done"
        for column in REFERENCE_COLUMNS:
            assert (row[column] is None) == (column in GPU_COLUMNS and not has_gpu), column
        for metric in ("HitRate", "Recall", "MRR", "NDCG"):
            assert 0 <= row[f"{metric}@10/valid"] <= 1

    for path in lab.made.glob("runs.db*"):
        path.unlink()
    lab.run("db", "rebuild")
    assert lab.run("compare", "--format", "json") == before


def assert_users_alone(made: Path) -> None:
    """All that real processes wrote, whatever the umask, and it is all that there is."""
    paths = [path for path in made.rglob("*") if path.exists()]
    assert {path.name for path in paths} >= {
        "runs.db", "runs.db-wal", "runs.db-shm", "runs", "store.lock", "supervisor.lock",
        "supervisor.log", "spec.json", "meta.json", "journal-1.jsonl", "checkpoint-1.pt",
        "log.txt", "model.pt", "test_ranks.npy", "attempt.lock", "cache", "prepared", "tiny.lock",
    }  # fmt: skip
    for path in paths:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), f"{path} is {mode:o}"


def test_the_app_is_lost_and_training_goes_on(training: Lab) -> None:
    """The terminal goes away (SIGHUP) with the app in it."""
    worker = training.worker()
    terminal, inside = pty.openpty()
    app = subprocess.Popen(
        training.command(),
        stdin=inside,
        stdout=inside,
        stderr=inside,
        env=training.environment,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(inside)
    shown = b""
    deadline = time.monotonic() + DEADLINE
    while b"Compare" not in shown:
        assert time.monotonic() < deadline, shown
        if select.select([terminal], [], [], 1)[0]:
            shown += os.read(terminal, 65536)
    os.close(terminal)  # the kernel hangs up
    app.wait(DEADLINE)

    training.goes_on()
    assert training.worker() == worker
    epochs = [epoch for epoch, _ in training.epochs()]
    assert epochs == list(range(1, len(epochs) + 1))
    assert b"Traceback" not in shown


def test_a_killed_supervisor_is_replaced_and_its_worker_adopted(training: Lab) -> None:
    training.wait_until(training.supervisor, "a supervisor")
    run, worker, killed = training.only_run(), training.worker(), training.supervisor()
    assert killed is not None
    os.kill(killed, signal.SIGKILL)

    training.run("ls")  # any command starts another
    training.wait_until(lambda: training.supervisor() not in (None, killed), "another supervisor")
    training.goes_on()

    assert training.only_run().attempt == run.attempt
    assert training.worker() == worker


def test_a_killed_worker_is_resumed_and_the_run_can_be_cancelled(training: Lab) -> None:
    run = training.only_run()
    folder = training.location.folder(run.id)
    training.wait_until(folder.checkpoint(run.attempt).exists, "a checkpoint")
    worker = training.worker()
    assert worker is not None
    os.kill(worker, signal.SIGKILL)
    following = run.attempt + 1
    training.wait_until(
        lambda: any(attempt == following for _, attempt in training.epochs()), "the next attempt"
    )
    training.run("cancel", run.id)
    training.wait_until(lambda: training.only_run().state == "cancelled", "the end")

    by_attempt = [
        [epoch for epoch, attempt in training.epochs() if attempt == number]
        for number in (run.attempt, following)
    ]
    first, second = by_attempt
    assert 1 < second[0] <= first[-1] + 1, "resumed from the checkpoint, with no gap"
    for epochs in by_attempt:
        assert epochs == list(range(epochs[0], epochs[-1] + 1))
    with closing(connect_reader(training.location)) as store:
        stored = [row["epoch"] for row in series.epochs(store, run.id)]
    assert stored == list(range(1, second[-1] + 1)), "each epoch once"


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_reference_sizes_reach_their_quality_on_ml_100k(lab: Lab, real_data: Path) -> None:
    lab.environment["SEQBENCH_DATA"] = str(real_data)
    command = lab.command(
        *("run", "--model", "sasrec,bert4rec,xlstm", "--dataset", "ml-100k"),
        *("--length", "50", "--seed", "42", "--wait"),
    )
    subprocess.run(command, env=lab.environment, check=True, timeout=3600)
    for row in json.loads(lab.run("compare", "--format", "json")):
        assert row["Recall@10/test"] >= 0.11, row["model"]
