"""The main job with real processes: launch, lose the terminal, lose processes, compare, rebuild."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from engine.metrics import REFERENCE_COLUMNS
from engine.store import queries
from engine.store.connect import connect_reader
from engine.store.location import store_location

GPU_COLUMNS = {"GPU/Memory(MiB)", "GPU/Utilization(%)"}
DEADLINE = 120.0
LONG = ("--set", "epochs=100000", "--set", "patience=100000")
SMALL = ("--set", "dim=16", "--set", "batch_size=512")


class Lab:
    """seqbench as a user has it: a folder, and commands run in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.location = store_location(folder / "runs.db")
        self.environment = os.environ | {"SEQBENCH_DB": str(self.location.db), "TERM": "xterm"}

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
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    def only_run(self) -> dict[str, Any]:
        (run,) = json.loads(self.run("ls", "--json"))
        return dict(run)

    def supervisor(self) -> int:
        return int(json.loads(self.location.supervisor_lock.read_text())["pid"])

    def worker(self) -> int | None:
        """The pid in the newest journal's first line."""
        journals = sorted(self.location.runs.glob("*/journal-*.jsonl"))
        first = journals[-1].read_text().partition("\n")[0] if journals else ""
        return int(json.loads(first)["pid"]) if first else None

    def wait_until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < deadline, f"waited in vain: {what}\n{self.logs()}"
            time.sleep(0.1)

    def wait_for_epochs(self, count: int) -> None:
        self.wait_until(lambda: (self.only_run()["epoch"] or 0) >= count, f"{count} epochs")

    def logs(self) -> str:
        paths = [*self.location.runs.glob("*.log"), *self.location.runs.glob("*/log.txt")]
        return "\n".join(path.read_text(errors="replace") for path in paths)

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
    lab = Lab(tmp_path)
    yield lab
    patterns = (f"engine.supervisor --db {tmp_path}", f"engine.worker {tmp_path}")
    for pattern in patterns:
        subprocess.run(["pkill", "-KILL", "-f", pattern], check=False)


def test_launch_wait_compare_rebuild(lab: Lab) -> None:
    lab.run(
        *("run", "--model", "sasrec,bert4rec,xlstm", "--dataset", "synthetic"),
        *("--length", "20", "--set", "epochs=2", "--wait", *SMALL),
    )
    before = lab.run("compare", "--format", "json")
    rows = json.loads(before)
    assert sorted(row["model"] for row in rows) == ["bert4rec", "sasrec", "xlstm"]
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

    for path in lab.folder.glob("runs.db*"):
        path.unlink()
    lab.run("db", "rebuild")
    assert lab.run("compare", "--format", "json") == before


def test_the_app_is_lost_and_training_goes_on(lab: Lab) -> None:
    """The terminal goes away (SIGHUP) with the app in it; a run ends all the same."""
    lab.run("run", "--model", "sasrec", "--dataset", "synthetic", "--set", "epochs=8", *SMALL)
    terminal, inside = pty.openpty()
    app = subprocess.Popen(
        lab.command(),
        stdin=inside,
        stdout=inside,
        stderr=inside,
        env=lab.environment,
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

    lab.wait_until(lambda: lab.only_run()["state"] == "done", "the run to end")
    assert [epoch for epoch, _ in lab.epochs()] == list(range(1, 9))
    assert b"Traceback" not in shown


def test_a_killed_worker_is_resumed(lab: Lab) -> None:
    lab.run("run", "--model", "sasrec", "--dataset", "synthetic", *LONG, *SMALL)
    run = lab.only_run()["id"]
    folder = lab.location.runs / run
    lab.wait_until(lambda: (folder / "checkpoint-1.pt").exists(), "a checkpoint")
    worker = lab.worker()
    assert worker is not None
    os.kill(worker, signal.SIGKILL)
    lab.wait_until(lambda: any(attempt == 2 for _, attempt in lab.epochs()), "a second attempt")

    lab.run("cancel", run)
    lab.wait_until(lambda: lab.only_run()["state"] == "cancelled", "the end")
    first = [epoch for epoch, attempt in lab.epochs() if attempt == 1]
    second = [epoch for epoch, attempt in lab.epochs() if attempt == 2]
    assert first == list(range(1, len(first) + 1))
    assert 1 < second[0] <= first[-1] + 1, "resumed from the checkpoint, with no gap"
    assert second == list(range(second[0], second[-1] + 1))
    with closing(connect_reader(lab.location)) as store:
        stored = [row["epoch"] for row in queries.epochs(store, run)]
    assert stored == list(range(1, second[-1] + 1)), "each epoch once"


def test_a_killed_supervisor_is_replaced_and_its_worker_adopted(lab: Lab) -> None:
    lab.run("run", "--model", "sasrec", "--dataset", "synthetic", *LONG, *SMALL)
    lab.wait_for_epochs(1)
    worker, killed = lab.worker(), lab.supervisor()
    os.kill(killed, signal.SIGKILL)

    before = lab.only_run()["epoch"]  # any command starts another
    lab.wait_until(lambda: lab.supervisor() != killed, "another supervisor")
    lab.wait_for_epochs(before + 2)

    run = lab.only_run()
    assert run["attempt"] == 1
    assert lab.worker() == worker
    lab.run("cancel", run["id"])
    lab.wait_until(lambda: lab.only_run()["state"] == "cancelled", "the end")


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
