"""Lock files: who holds one, and what it says of its holder."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from engine.files.lock import hold_lock, is_locked, read_holder, take_lock, write_holder


def test_one_process_has_it_until_it_closes_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not is_locked(path)
    first = take_lock(path)
    assert first is not None
    assert is_locked(path)
    assert take_lock(path) is None
    os.close(first)
    assert not is_locked(path)


def test_whoever_reads_it_sees_one_holder_whole(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    lock = take_lock(path)
    assert lock is not None
    holders = [{"pid": 7}, {"pid": 1234567, "started": 1.5}, {"pid": 89}]
    assert read_holder(path) is None
    write_holder(lock, holders[0])
    over = threading.Event()

    def take_turns() -> None:
        while not over.is_set():
            for holder in holders:
                write_holder(lock, holder)

    writer = threading.Thread(target=take_turns)
    writer.start()
    seen = [read_holder(path) for _ in range(2000)]
    over.set()
    writer.join()
    os.close(lock)
    assert all(holder in holders for holder in seen)
    path.write_text(path.read_text().replace("pid", "pit"))
    assert read_holder(path) is None, "a part of one text and a part of another"


def test_a_holder_that_wrote_no_check_is_read(tmp_path: Path) -> None:
    """As the supervisor of a version without one did."""
    path = tmp_path / "lock"
    path.write_text('{"pid": 7, "db": "/home/ann/runs.db"}   ')
    assert read_holder(path) == {"pid": 7, "db": "/home/ann/runs.db"}


def test_it_is_waited_for_until_the_wait_gives_up(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    first = take_lock(path)
    assert first is not None
    waits: list[float] = []

    def let_go_after_two(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            os.close(first)

    with hold_lock(path, let_go_after_two):
        assert len(waits) == 2
        assert is_locked(path)

        def give_up(seconds: float) -> None:
            raise TimeoutError

        with pytest.raises(TimeoutError), hold_lock(path, give_up):
            pass
    assert not is_locked(path)


def test_a_lock_is_one_holders_until_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not is_locked(path)
    program = "import sys; from engine.files.lock import *; from pathlib import Path; "
    program += f"take_lock(Path({str(path)!r})); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert is_locked(path)
        assert take_lock(path) is None
        holder.kill()
        holder.wait()
    assert not is_locked(path)
    descriptor = take_lock(path)
    assert descriptor is not None
    os.close(descriptor)


def test_a_look_at_a_lock_does_not_keep_it_from_being_taken(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.touch()
    looking = os.open(path, os.O_RDONLY)
    fcntl.flock(looking, fcntl.LOCK_SH)
    assert take_lock(path) is None
    os.close(looking)
    descriptor = take_lock(path, seconds=1)
    assert descriptor is not None
    os.close(descriptor)
