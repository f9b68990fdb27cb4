"""The short form of the chaos run: nothing is lost, whatever is killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.chaos.__main__ import chaos, short_runs


@pytest.mark.timeout(600)
def test_nothing_is_lost_whatever_is_killed(tmp_path: Path) -> None:
    said: list[str] = []
    report = chaos(tmp_path, short_runs(3, epochs=30), kills=20, seed=7, say=said.append)
    assert report.lost == []
    assert len(report.kills) == 20, said
    assert report.attempts > 3, "workers were among them"
