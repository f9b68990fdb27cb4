"""The short form of the chaos run: nothing is lost, whatever is killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.chaos.__main__ import chaos, short_runs


@pytest.mark.parametrize(
    ("runs", "epochs", "kills"),
    [
        pytest.param(1, 15, 4, marks=[pytest.mark.slow, pytest.mark.timeout(600)]),
        pytest.param(3, 30, 20, marks=[pytest.mark.slow, pytest.mark.timeout(1200)]),
    ],
)
def test_nothing_is_lost_whatever_is_killed(
    tmp_path: Path, runs: int, epochs: int, kills: int
) -> None:
    said: list[str] = []
    report = chaos(tmp_path, short_runs(runs, epochs), kills, seed=3, say=said.append)
    assert report.lost == []
    assert len(report.kills) == kills, said
    workers = sum(victim.kind == "worker" for victim in report.kills)
    assert workers > 0 or kills < 20
    assert report.attempts > runs or not workers
