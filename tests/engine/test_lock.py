"""Lock files: who holds one, and what it says of its holder."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from engine.lock import hold_lock, is_locked, read_holder, take_lock, write_holder


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
