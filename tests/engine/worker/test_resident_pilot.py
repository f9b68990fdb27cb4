"""A resident worker that is a job of a cluster."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from resident_process import ended, lines, make_run, small_spec, wait_for, wait_for_end

from engine.inbox import Assignment, WorkerFolder
from engine.runfolder import RunFolder

ENDLESS = {"epochs": 100_000, "patience": 100_000, "dim": 16}
SHORT = {"epochs": 1, "dim": 16}


def offer(worker: WorkerFolder, run: RunFolder, threads: int = 1) -> bool:
    return worker.offer(Assignment(str(run.path), 1, "cpu", threads))


def test_it_takes_as_many_runs_as_it_may_whatever_process_trains_them(
    tmp_path: Path, worker: WorkerFolder, reside
) -> None:
    """A run with other threads makes the worker replace itself."""
    runs = [make_run(tmp_path, f"run-{n}", small_spec(**SHORT)) for n in (1, 2, 3)]
    process = reside("--pilot", "--most-runs", "2", idle_seconds=600.0)
    wait_for(lambda: worker.is_open, process, "its inbox")
    for threads, run in enumerate(runs, 1):
        assert offer(worker, run, threads)
    wait_for_end(process, worker)
    assert [ended(run)[0] for run in runs[:2]] == ["done", "done"]
    assert not runs[2].journals()
    assert [each.run.run_id for each in worker.assignments()] == ["run-3"]
    assert not worker.is_open


def test_asked_to_end_it_says_that_it_begins_no_more(
    tmp_path: Path, worker: WorkerFolder, reside
) -> None:
    endless = make_run(tmp_path, "endless", small_spec(**ENDLESS))
    process = reside("--pilot", idle_seconds=600.0)
    wait_for(lambda: worker.is_open, process, "its inbox")
    assert offer(worker, endless)
    wait_for(lambda: lines(endless, "epoch"), process, "an epoch")
    os.kill(process.pid, signal.SIGUSR2)
    wait_for_end(process, worker)
    assert ended(endless) == ("preempted", "preempted")
    assert worker.closing.exists()


def test_without_runs_it_closes_its_inbox(worker: WorkerFolder, reside) -> None:
    wait_for_end(reside("--pilot", idle_seconds=0.1), worker)
    assert not worker.inbox.exists()


def test_only_one_process_of_a_name_serves(worker: WorkerFolder, reside) -> None:
    """Even where locks don't work from node to node."""
    assert worker.open()
    wait_for_end(reside("--pilot"), worker)
    assert "another job has the inbox" in worker.log.read_text()
    assert worker.inbox.exists()
