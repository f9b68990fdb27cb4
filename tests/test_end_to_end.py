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
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from engine.files.lock import read_holder
from engine.journal import read_journal
from engine.metrics import REFERENCE_COLUMNS
from engine.store import queries, series
from engine.store.connect import connect_reader
from engine.store.location import store_location
from engine.supervisor.start import supervisor_running

GPU_COLUMNS = {"GPU/Memory(MiB)", "GPU/Utilization(%)"}
DEADLINE = 180.0
TINY = {
    "name": "tiny", "title": "Tiny", "size": "small", "reader": "movielens-tab",
    "users": 20, "items": 31, "interactions": 600, "folder": "tiny", "files": {"u.data": None},
}  # fmt: skip
LONG = ("--set", "epochs=100000", "--set", "patience=100000")
SMALL = ("--set", "dim=16", "--set", "batch_size=512")


class Lab:
    """seqbench as a user has it: a folder, and commands run in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made = folder / "made"
        self.made.mkdir()
        self.location = store_location(self.made / "runs.db")
        own = {
            "SEQBENCH_DB": self.location.db,
            "SEQBENCH_CACHE": self.made / "cache",
            "SEQBENCH_DATA": folder / "data",
            "SEQBENCH_CONFIG": folder / "configs",
            "XDG_STATE_HOME": folder / "state",
            "XDG_CONFIG_HOME": folder / "config",
        }
        self.environment = os.environ | {name: str(path) for name, path in own.items()}
        self.environment["TERM"] = "xterm"
        self.environment.pop("NO_COLOR", None)
        self._add_data()

    def _add_data(self) -> None:
        """A small data set of one's own."""
        data, entry = self.folder / "data" / "tiny", self.folder / "configs" / "datasets"
        for folder in (data, entry):
            folder.mkdir(parents=True)
        lines = (f"{i % 20}\t{i * 7 % 31}\t3\t{i}\n" for i in range(600))
        (data / "u.data").write_text("".join(lines))
        (entry / "tiny.yaml").write_text(yaml.safe_dump(TINY))
        # A test that waits for training shouldn't wait for all the other tests first.
        (self.folder / "configs" / "settings.yaml").write_text("niceness: 0\n")

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "tui.cli", *words]

    def run(self, *words: str, status: int = 0) -> str:
        done = subprocess.run(
            self.command(*words),
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=2 * DEADLINE,
            check=False,
            umask=0,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    def only_run(self) -> queries.Run:
        with closing(connect_reader(self.location)) as store:
            (run,) = queries.list_runs(store)
        return run

    def supervisor(self) -> int | None:
        """Its pid, once it has said so."""
        if not supervisor_running(self.location):
            return None
        found = read_holder(self.location.supervisor_lock)
        return found["pid"] if found else None

    def worker(self) -> int | None:
        """The pid in the newest journal, once its attempt has begun: a heartbeat may come first."""
        journals = sorted(self.location.runs.glob("*/journal-*.jsonl"))
        lines = read_journal(journals[-1]).lines if journals else []
        return next((int(line.fields["pid"]) for line in lines if line.kind == "start"), None)

    def wait_until(self, condition: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < deadline, f"waited in vain: {what}\n{self.logs()}"
            time.sleep(0.1)

    def goes_on(self) -> None:
        """Wait until two further epochs are in the store."""
        before = self.only_run().epoch or 0
        self.wait_until(lambda: (self.only_run().epoch or 0) >= before + 2, "further epochs")

    def logs(self) -> str:
        paths = [*self.location.runs.glob("*.log"), *self.location.runs.glob("*/log.txt")]
        return "\n".join(path.read_text(errors="replace") for path in paths)

    def end(self) -> None:
        """End every process that works here, the one that starts others first."""
        for program in ("engine.supervisor --db", "engine.worker", "engine.worker.resident"):
            pattern = f"{program} {self.folder}"
            subprocess.run(["pkill", "-KILL", "-f", pattern], check=False)

    def epochs(self) -> list[tuple[int, int]]:
        """(epoch, attempt) as the journals have them, in the order written."""
        found = []
        for path in sorted(self.location.runs.glob("*/journal-*.jsonl")):
            lines = [json.loads(line) for line in path.read_text().splitlines()]
            attempt = int(path.stem.rpartition("-")[2])
            found += [(line["epoch"], attempt) for line in lines if line["kind"] == "epoch"]
        return found


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """One of its own."""
    yield (lab := Lab(tmp_path))
    lab.end()


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
