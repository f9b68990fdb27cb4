"""The priority of processes that train: real ones, which stand still."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.machine.priority import lower_priority, lower_priority_of_session

WAITS = [sys.executable, "-c", "import os, sys; os.nice(int(sys.argv[1])); print(); input()"]


@pytest.fixture
def waiting(request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a session of its own, with the niceness of the parameter, 0 without one."""
    own = str(getattr(request, "param", 0))
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([*WAITS, own], start_new_session=True, **pipes) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def niceness(process: subprocess.Popen[bytes]) -> int:
    return os.getpriority(os.PRIO_PROCESS, process.pid)


def niceness_of_session(process: subprocess.Popen[bytes]) -> int | None:
    """What the kernel shares the processor by among sessions; ``None`` if it does no such thing."""
    path = Path(f"/proc/{process.pid}/autogroup")
    return int(path.read_text().split()[-1]) if path.exists() else None


def test_a_session_goes_after_others(waiting: subprocess.Popen[bytes]) -> None:
    while not lower_priority_of_session(waiting.pid, 10):
        pass
    assert niceness(waiting) == 10
    assert niceness_of_session(waiting) in (10, None)


def test_a_session_that_the_kernel_refuses_is_to_be_asked_for_again(
    waiting: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path, text: str) -> int:
        raise BlockingIOError(errno.EAGAIN, f"{path} takes no {text} yet")

    monkeypatch.setattr(Path, "write_text", refused)  # of root it refuses none
    assert not lower_priority_of_session(waiting.pid, 10)
    assert niceness(waiting) == 10


def test_a_process_alone_leaves_its_session(waiting: subprocess.Popen[bytes]) -> None:
    lower_priority(waiting.pid, 10)
    assert niceness(waiting) == 10
    assert niceness_of_session(waiting) in (0, None)


def test_none_is_asked_for(waiting: subprocess.Popen[bytes]) -> None:
    lower_priority_of_session(waiting.pid, 0)
    assert (niceness(waiting), niceness_of_session(waiting) or 0) == (0, 0)


@pytest.mark.parametrize("waiting", [15], indirect=True)
def test_what_is_nicer_already_stays_so(waiting: subprocess.Popen[bytes]) -> None:
    lower_priority(waiting.pid, 10)
    assert niceness(waiting) == 15


def test_one_that_has_ended_is_no_matter(waiting: subprocess.Popen[bytes]) -> None:
    waiting.kill()
    waiting.wait()
    lower_priority_of_session(waiting.pid, 10)
