"""The benchmark of exports, on a small store."""

from __future__ import annotations

from pathlib import Path

from benchmarks.bigstore import make_store
from benchmarks.exports import export_times
from engine.store.location import StoreLocation


def test_reading_rows_and_writing_them_take_turns(tmp_path: Path) -> None:
    location = StoreLocation(tmp_path / "runs.db")
    make_store(location, 0, 20)
    times = export_times(location, 1)
    assert [len(taken) for taken in times.values()] == [1, 1, 1]
    assert all(0 < seconds < 60 for taken in times.values() for seconds in taken[0])
