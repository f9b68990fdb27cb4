"""The parts of the benchmark of the terminal, on a small store and for a moment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.bigstore import make_store
from benchmarks.lab import supervised, watched_app
from benchmarks.terminal import (
    Keyboard,
    arrows,
    opened_table,
    screens,
    sorts,
    start_rows,
    starts,
    wait_for_store,
)
from engine.store.location import StoreLocation


@pytest.fixture
def keyboard(tmp_path: Path) -> Iterator[Keyboard]:
    location = StoreLocation(tmp_path / "runs.db")
    make_store(location, queued=2, finished=60)
    marks = tmp_path / "marks"
    with supervised(location, 2), watched_app(location, marks) as terminal:
        wait_for_store(marks)
        yield Keyboard(terminal, marks)


@pytest.mark.slow
def test_what_a_key_changes_is_seen_in_the_paint_after_it(keyboard: Keyboard) -> None:
    moved = arrows(keyboard, 4)
    switched = screens(keyboard, 3)
    assert keyboard.last()["screen"] == "LaunchScreen"
    opened = opened_table(keyboard)
    best_first = keyboard.last()["rows"]
    sorted_twice = sorts(keyboard, 2)
    assert keyboard.last()["rows"] == best_first
    taken = [*moved, *switched, opened, *sorted_twice]
    assert len(taken) == 10
    assert all(0 < seconds < 30 for seconds in taken)


def test_a_start_is_compared_with_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.terminal.SETTLE_SECONDS", 0.0)
    location = StoreLocation(tmp_path / "runs.db")
    make_store(location, queued=0, finished=6)
    found = starts(location, tmp_path / "marks", 1)
    (empty,), (first,), (cells,) = found.empty, found.first, found.cells
    assert 0 < first.clock <= cells.clock
    assert 0 < first.cpu <= cells.cpu
    assert min(empty) > 0
    assert len(found.opened) == 2
    rows = list(start_rows(found))
    assert rows[0][2] == "×1.00"
    clock, cpu = first.clock / empty.clock, first.cpu / empty.cpu
    assert rows[1][2] == f"×{clock:.2f} (×{cpu:.2f})"
