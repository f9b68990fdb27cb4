"""The benchmark of a large cluster with a few nodes: real supervisor, simulated Slurm."""

from __future__ import annotations

import re
import subprocess
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.bigstore import make_store
from benchmarks.cluster import fill_queue, filling, simulated, states, steady, supervised
from benchmarks.fakeslurm import Settings, save_settings
from benchmarks.lab import wait_for
from engine.store.connect import connect_reader
from engine.store.location import StoreLocation
from engine.supervisor.slurm import client
from engine.supervisor.start import supervisor_running

NODES, RUNS = 4, 6
QUICK = Settings(line_seconds=0.05, lines=(100_000, 100_000), wait_seconds=(0.1, 0.5))


@pytest.fixture
def location(tmp_path: Path) -> StoreLocation:
    location = StoreLocation(tmp_path / "runs.db")
    make_store(location, 0, 20)
    fill_queue(location, RUNS)
    return location


def test_jobs_follow_one_another_and_their_lines_come_in(location: StoreLocation) -> None:
    with simulated(NODES, QUICK) as folder, supervised(location, NODES, 0.5) as supervisor:
        filled = filling(location, supervisor, NODES)
        assert filled.jobs >= NODES
        assert filled.seconds > filled.longest > 0
        wait_for(lambda: _running_with_steps(location), "a run's first steps")
        found = steady(location, supervisor, 1.0)
        assert 0 <= found.share < 1  # ticks of 10 ms, of which a second may have none
        assert found.lines_a_second > 1
        assert len(found.delays) > 5
        assert 0 <= min(found.delays) <= max(found.delays) < 10
        assert min(found.rounds) > 0
        # The controller comes and goes; nothing is thought lost for that.
        ending = replace(QUICK, lines=(25, 40))
        save_settings(folder, replace(ending, failing=0.3, hanging=0.1, hang_seconds=0.5))
        wait_for(lambda: states(location) == {"done": RUNS}, "all runs' ends")
    assert not supervisor_running(location)
    with closing(connect_reader(location)) as con:
        attempts = con.rows("SELECT attempt, status, node FROM attempts WHERE job IS NOT NULL")
    assert [tuple(row)[:2] for row in attempts] == [(1, "done")] * RUNS
    assert {row[2] for row in attempts} <= {f"n{number:04}" for number in range(NODES)}


def test_the_commands_fail_hang_and_cancel_as_they_are_told(tmp_path: Path) -> None:
    script = tmp_path / "job.sh"
    script.write_text("#!/bin/bash\n")
    with simulated(1, Settings(wait_seconds=(60, 60))) as folder:
        number = client.submit(script, tmp_path, "store/run/1")
        assert [(job.id, job.state, job.name) for job in client.jobs()] == [
            (number, "PENDING", "store/run/1")
        ]
        client.cancel([number])
        assert client.jobs()[0].over

        save_settings(folder, Settings(failing=1.0))
        wait_for(_unreachable, "a controller that doesn't answer")
        save_settings(folder, Settings(hanging=1.0, hang_seconds=0.5))
        wait_for(lambda: _answer_seconds() > 0.5, "a controller that hangs")
        assert re.match(r"1\|CANCELLED\|", subprocess.check_output(["squeue"], text=True))


def _running_with_steps(location: StoreLocation) -> bool:
    with closing(connect_reader(location)) as con:
        return bool(con.rows("SELECT 1 FROM runs WHERE state = 'running' AND step > 0"))


def _unreachable() -> bool:
    try:
        client.jobs()
    except client.UnreachableError:
        return True
    return False


def _answer_seconds() -> float:
    began = time.monotonic()
    try:
        client.jobs()
    except client.UnreachableError:
        return 0.0
    return time.monotonic() - began
