"""Two processes as one attempt: whichever ends, all end, and the journal says why."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from test_worker import ENDLESS, exit_status, lines, small_spec

from engine.process import identify, is_alive
from engine.runfolder import RunFolder
from engine.specfile import save_spec
from engine.supervisor.launcher import torchrun_command
from engine.training.checkpoint import load_checkpoint

DEADLINE = 180.0
WORKER = (sys.executable, "-m", "engine.worker")


class Pair:
    """A worker of two processes in training."""

    def __init__(self, folder: RunFolder, attempt: int) -> None:
        self.folder, self.attempt = folder, attempt
        command = [*WORKER, str(folder.path), "--attempt", str(attempt), "--threads", "1"]
        surroundings = os.environ | {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
        with folder.log.open("ab") as log:
            self.parent = subprocess.Popen(
                torchrun_command(command, 2), stdout=log, stderr=log, env=surroundings
            )
        self.wait_for(lambda: len(lines(folder, "epoch", attempt)) > 0)
        (started,) = lines(folder, "start", attempt)
        assert started.fields["processes"] == 2
        assert started.fields["pid"] == self.parent.pid  # what the supervisor started
        children = Path(f"/proc/{self.parent.pid}/task/{self.parent.pid}/children").read_text()
        self.first, self.other = sorted(map(int, children.split()), key=rank_of)
        self.processes = [identify(pid) for pid in (self.first, self.other)]

    def wait_for(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < deadline, self.folder.log.read_text()
            time.sleep(0.02)

    def end(self) -> tuple[str, str, str] | None:
        """Status, cause and message, once no process is left."""
        self.wait_for(lambda: not any(map(is_alive, filter(None, self.processes))))
        self.parent.wait(DEADLINE)
        said = lines(self.folder, "end", self.attempt)
        if not said:
            return None
        (end,) = said
        return end.fields["status"], end.fields["cause"], end.fields["message"]

    def kill(self) -> None:
        for process in [*self.processes, identify(self.parent.pid)]:
            if process is not None and is_alive(process):
                os.kill(process.pid, signal.SIGKILL)
        self.parent.wait()


def rank_of(pid: int) -> int:
    surroundings = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return next(int(entry[5:]) for entry in surroundings if entry.startswith(b"RANK="))


@pytest.fixture
def make_pair(tmp_path: Path) -> Iterator[Callable[..., Pair]]:
    """A pair in the same run folder each time, that would train for an hour."""
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    save_spec(folder, small_spec(**ENDLESS), created=1.0)
    pairs: list[Pair] = []

    def make() -> Pair:
        pairs.append(Pair(folder, len(pairs) + 1))
        return pairs[-1]

    yield make
    for pair in pairs:
        pair.kill()


@pytest.mark.slow
def test_a_killed_process_ends_the_run_with_a_word(make_pair: Callable[[], Pair]) -> None:
    pair = make_pair()
    os.kill(pair.other, signal.SIGKILL)
    status, cause, message = pair.end() or ("", "", "")
    assert (status, cause) == ("failed", "killed")
    assert message.startswith("Process 2 of the 2 that trained it together was ended or failed")


@pytest.mark.slow
def test_asked_by_torchrun_or_alone_the_first_process_decides(
    make_pair: Callable[[], Pair],
) -> None:
    pair = make_pair()
    os.kill(pair.parent.pid, signal.SIGTERM)  # which asks both
    assert pair.end() == ("preempted", "preempted", "Stopped from outside; it will be resumed.")

    pair = make_pair()
    pair.folder.cancel.touch()
    os.killpg(pair.first, signal.SIGTERM)
    assert pair.end() == ("cancelled", "cancelled", "Cancelled.")
    assert pair.parent.returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("who", ["first", "torchrun"])
def test_nobody_outlives_the_first_process_or_torchrun(
    make_pair: Callable[[], Pair], who: str
) -> None:
    pair = make_pair()
    pair.wait_for(lambda: pair.folder.checkpoints())
    os.kill(pair.first if who == "first" else pair.parent.pid, signal.SIGKILL)
    assert pair.end() is None
    again = make_pair()
    (_, newest), *_ = reversed(pair.folder.checkpoints())
    checkpoint = load_checkpoint(newest, small_spec(**ENDLESS).fingerprint())
    (started,) = lines(again.folder, "start", 2)
    assert 0 < started.fields["resumed_epoch"] <= checkpoint.epoch


@pytest.mark.slow
def test_both_go_on_from_a_run_with_a_lower_limit(
    make_pair: Callable[[], Pair], start: Callable[..., BaseProcess], tmp_path: Path
) -> None:
    short = RunFolder(tmp_path / "short")
    short.path.mkdir()
    save_spec(short, small_spec(**ENDLESS | {"epochs": 2}), created=1.0)
    assert exit_status(start(short)) == 0
    (tmp_path / "run" / "checkpoint-1.pt").write_bytes(short.checkpoint(1).read_bytes())
    pair = make_pair()
    (started,) = lines(pair.folder, "start")
    assert started.fields["resumed_epoch"] == 2
    assert lines(pair.folder, "epoch")[0].fields["epoch"] == 3
