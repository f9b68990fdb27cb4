"""Jobs of a real Slurm that take one run after another, and what becomes of their runs when such a
job is cancelled, preempted, over its time, or loses its process, its node or its supervisor."""

from __future__ import annotations

import os
import signal
import time

import numpy as np
import pytest
from cluster import Cluster
from lab import Lab, small_spec

from engine.runfolder import RunFolder
from engine.spec import RunSpec
from engine.store.requests import request_cancel

LONG = {"epochs": 100_000}


def rehearsal(seed: int, profile: str = "quick") -> RunSpec:
    return small_spec(seed).model_copy(update={"profile": profile})


def go(folder: RunFolder) -> None:
    (folder.path / "go").touch()


def pilots(cluster: Cluster) -> dict[str, str]:
    """The states of the pilots' jobs, by their numbers."""
    return {number: state for number, name, state in cluster.jobs() if "/.workers/" in name}


def jobs_of(lab: Lab, run: str) -> list[str]:
    return [str(attempt["job"]) for attempt in lab.attempts(run)]


@pytest.fixture
def pilots_before(cluster: Cluster) -> set[str]:
    """Jobs of the tests before, which Slurm still lists."""
    return set(pilots(cluster))


def new_pilots(cluster: Cluster, before: set[str]) -> dict[str, str]:
    return {number: state for number, state in pilots(cluster).items() if number not in before}


def test_one_job_trains_one_run_after_another(
    lab: Lab, cluster: Cluster, pilots_before: set[str]
) -> None:
    """Equal settings, equal seeds: equal figures, whatever the process trained before."""
    lab.profile("piloted", runs_per_job="auto", jobs=1)
    there = lab.add(small_spec(1), small_spec(2, "bert4rec"), launcher="piloted")
    (here,) = lab.add(small_spec(2, "bert4rec"), launcher=None)
    lab.wait_done(*there, here)
    assert lab.epochs(there[1]) == lab.epochs(here)
    ranks = [np.load(lab.folder(run).test_ranks, allow_pickle=False) for run in (there[1], here)]
    assert np.array_equal(*ranks)
    (number,) = new_pilots(cluster, pilots_before)
    processes = set()
    for run in there:
        (attempt,) = lab.attempts(run)
        (start,) = lab.lines(run, 1, "start")
        assert attempt["job"] == start.fields["job"]["id"] == number
        assert attempt["node"] in ("n1", "n2")
        assert attempt["slot"].startswith("piloted/")
        assert attempt["worker"] == start.fields["worker"]
        assert lab.folder(run).job_script(1).exists()
        processes.add(start.fields["pid"])
    assert len(processes) == 1


@pytest.mark.slow
def test_a_job_without_further_runs_ends_by_itself(
    lab: Lab, cluster: Cluster, pilots_before: set[str]
) -> None:
    """After half a minute."""
    lab.profile("piloted", runs_per_job="auto", jobs=1)
    lab.wait_done(*lab.add(small_spec(1), launcher="piloted"))
    (number,) = new_pilots(cluster, pilots_before)
    cluster.wait(lambda: pilots(cluster)[number] == "COMPLETED", "its end")


def test_the_first_job_that_starts_takes_all_runs_in_their_order(
    lab: Lab, cluster: Cluster, pilots_before: set[str]
) -> None:
    lab.rehearse("held", runs_per_job="auto", jobs=3, options=["--hold"])
    runs = lab.add(*(rehearsal(seed) for seed in range(5)), launcher="held")
    lab.wait(lambda: len(new_pilots(cluster, pilots_before)) == 3, "three jobs")
    lab.wait(
        lambda: sum("held" in str(job.job_words) for job in lab.jobs().values()) == 3,
        "their words with the runs that wait for them",
    )
    assert {lab.run(run).state for run in runs[:3]} == {"running"}
    second = sorted(new_pilots(cluster, pilots_before), key=int)[1]
    cluster.command("scontrol", "release", second)
    lab.wait_done(*runs)
    assert [jobs_of(lab, run) for run in runs] == [[second]] * 5
    begun = [lab.lines(run, 1, "start")[0].t for run in runs]
    assert begun == sorted(begun)
    cluster.wait(
        lambda: sorted(new_pilots(cluster, pilots_before).values())[:2] == ["CANCELLED"] * 2,
        "the jobs that nobody needs to be cancelled",
    )


def test_a_job_ends_after_as_many_runs_as_it_may_take(
    lab: Lab, cluster: Cluster, pilots_before: set[str]
) -> None:
    lab.rehearse("pairs", runs_per_job=2, jobs=1)
    runs = lab.add(*(rehearsal(seed) for seed in range(4)), launcher="pairs")
    lab.wait_done(*runs)
    one, two = sorted(new_pilots(cluster, pilots_before), key=int)
    assert [jobs_of(lab, run) for run in runs] == [[one], [one], [two], [two]]


def test_a_run_that_is_cancelled_leaves_its_job_to_the_next(
    lab: Lab, cluster: Cluster, pilots_before: set[str]
) -> None:
    lab.rehearse("one", runs_per_job="auto", jobs=1)
    first, second, third = lab.add(
        rehearsal(1, "hold"), rehearsal(2, "hold"), rehearsal(3), launcher="one"
    )
    lab.wait(lambda: lab.lines(first, 1, "epoch"), "an epoch")
    request_cancel(lab.location, [first, third])
    lab.wait(lambda: lab.run(first).state == lab.run(third).state == "cancelled", "the ends")
    assert lab.lines(first, 1, "end")[0].fields["status"] == "cancelled"
    assert not lab.folder(third).journal(1).exists()
    lab.wait(lambda: lab.lines(second, 1, "epoch"), "the next")
    go(lab.folder(second))
    lab.wait_done(second)
    assert len(new_pilots(cluster, pilots_before)) == 1


def test_supervisors_that_are_killed_lose_and_double_nothing(
    lab: Lab, cluster: Cluster, pilots_before: set[str]
) -> None:
    lab.rehearse("two", runs_per_job="auto", jobs=2)
    runs = lab.add(*(rehearsal(seed) for seed in range(8)), launcher="two")
    for done in (0, 2, 4):
        lab.wait(lambda n=done: sum(lab.run(r).state == "done" for r in runs) >= n, "some ends")
        lab.kill_supervisor()
        lab.supervise()
    lab.wait_done(*runs)
    for run in runs:
        assert [attempt["attempt"] for attempt in lab.attempts(run)] == [1], lab.report()
    used = {number for run in runs for number in jobs_of(lab, run)}
    assert used <= set(new_pilots(cluster, pilots_before))
    assert len(used) <= 2


def test_a_job_with_a_gpu_trains_several_runs_at_once_and_loses_none(
    lab: Lab, cluster: Cluster, pilots_before: set[str]
) -> None:
    lab.rehearse("packed", runs_per_job="auto", jobs=1, gpus=1)
    runs = lab.add(
        *(rehearsal(seed, "yield") for seed in range(4)), rehearsal(4), launcher="packed"
    )
    lab.wait(lambda: all(len(lab.lines(run, 1, "epoch")) == 2 for run in runs[:4]), "four at once")
    (first,) = new_pilots(cluster, pilots_before)
    (process,) = {lab.lines(run, 1, "start")[0].fields["pid"] for run in runs[:4]}
    lab.wait(lambda: all(lab.job(run).job == first for run in runs[:4]), "them to be ingested")
    os.kill(process, signal.SIGKILL)
    lab.wait_done(*runs)
    assert [lab.run(run).losses for run in runs] == [0] * 5
    for run in runs[:4]:
        one, two = lab.attempts(run)
        assert (one["status"], one["cause"]) == ("lost", "shared")
        assert one["job"] == first != two["job"]
        assert lab.lines(run, 2, "start")[0].fields["resumed_epoch"] == 2


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_job_that_makes_way_leaves_all_its_runs_to_the_next(
    lab: Lab, cluster: Cluster, pilots_before: set[str]
) -> None:
    lab.rehearse("packed", runs_per_job="auto", jobs=1, gpus=1)
    runs = lab.add(*(rehearsal(seed, "yield") for seed in range(4)), launcher="packed")
    lab.wait(lambda: all(len(lab.lines(run, 1, "epoch")) == 2 for run in runs), "four at once")
    high = ("sbatch", "--parsable", "-p", "high", "-N2", "--exclusive", "-o", "/dev/null")
    blocker = cluster.command(*high, "--wrap", "srun sleep 600").strip()
    lab.wait(lambda: all(lab.run(run).attempt == 2 for run in runs), "them to make way")
    cluster.command("scancel", blocker)
    lab.wait_done(*runs)
    for run in runs:
        assert lab.lines(run, 1, "end")[0].fields["status"] == "preempted"
        assert lab.run(run).losses == 0
        assert len(lab.attempts(run)) == 2


@pytest.mark.slow
def test_a_job_that_fails_before_it_serves_fails_one_run_with_its_words(lab: Lab) -> None:
    lab.profile("broken", setup=["module load nothing-here"], runs_per_job="auto", jobs=1)
    lab.profile("wrong", partition="nowhere", runs_per_job="auto", jobs=1)
    (failed,) = lab.add(small_spec(1), launcher="broken")
    (refused,) = lab.add(small_spec(2), launcher="wrong")
    lab.wait(lambda: lab.run(refused).state == lab.run(failed).state == "failed", "failures")
    assert "nvalid partition" in (lab.run(refused).message or "")
    assert "before its worker began" in (lab.run(failed).message or "")
    log = lab.folder(failed).log.read_text()
    assert "This line of setup failed: module load nothing-here" in log


@pytest.mark.slow
def test_a_job_that_the_user_cancels_takes_its_run_along_and_no_other(
    lab: Lab, cluster: Cluster
) -> None:
    lab.rehearse("one", runs_per_job="auto", jobs=1)
    first, second = lab.add(rehearsal(1, "hold"), rehearsal(2), launcher="one")
    lab.wait(lambda: lab.lines(first, 1, "epoch"), "an epoch")
    cluster.command("scancel", jobs_of(lab, first)[0])
    lab.wait_done(second)
    assert lab.run(first).state == "cancelled"
    assert "with Slurm's own means" in (lab.run(first).message or "")


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_preempted_jobs_leave_their_runs_to_others(
    lab: Lab, cluster: Cluster, pilots_before: set[str]
) -> None:
    lab.profile("two", runs_per_job="auto", jobs=2)
    runs = lab.add(*(small_spec(seed, epochs=60) for seed in range(4)), launcher="two")
    lab.wait(lambda: all(lab.lines(run, 1, "checkpoint") for run in runs[:2]), "checkpoints")
    high = ("sbatch", "--parsable", "-p", "high", "-N2", "--exclusive", "-o", "/dev/null")
    blocker = cluster.command(*high, "--wrap", "srun sleep 600").strip()
    lab.wait(
        lambda: all("waits" in str(lab.job(run).job_words) for run in runs[:2]), "them to wait"
    )
    assert all(lab.lines(run, 1, "end")[0].fields["status"] == "preempted" for run in runs[:2])
    cluster.command("scancel", blocker)
    lab.wait_done(*runs)
    for run in runs:
        assert lab.run(run).losses == 0
        assert [row["epoch"] for row in lab.epochs(run)] == list(range(1, 61))
    assert [len(lab.attempts(run)) for run in runs] == [2, 2, 1, 1]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_job_whose_time_ends_is_replaced(lab: Lab, cluster: Cluster) -> None:
    lab.profile("short", time=60, warn_seconds=90, runs_per_job="auto", jobs=1)
    quick, long, last = lab.add(
        small_spec(1), small_spec(2, **LONG), small_spec(3), launcher="short"
    )
    lab.wait(lambda: lab.lines(long, 1, "checkpoint"), "a checkpoint of the second")
    # Slurm warns once less than 90 s are left, which leaves a minute for the last word.
    job = jobs_of(lab, long)[0]
    minutes = int(time.time() - lab.lines(quick, 1, "start")[0].t) // 60 + 3
    cluster.command("scontrol", "update", f"jobid={job}", f"timelimit={minutes}")
    lab.wait(lambda: lab.lines(long, 2, "epoch"), "a second job", 300)
    assert lab.lines(long, 1, "end")[0].fields["status"] == "preempted"
    resumed = lab.lines(long, 2, "start")[0].fields["resumed_epoch"]
    assert resumed == lab.lines(long, 1, "checkpoint")[-1].fields["epoch"] > 0
    assert lab.run(long).losses == 0
    assert jobs_of(lab, quick) == [job]
    assert jobs_of(lab, long)[1] != job
    request_cancel(lab.location, [long])
    lab.wait_done(last)
    assert jobs_of(lab, last) == jobs_of(lab, long)[1:]


@pytest.mark.slow
def test_a_process_that_is_killed_is_its_runs_loss_and_no_others(lab: Lab) -> None:
    lab.profile("one", runs_per_job="auto", jobs=1)
    runs = lab.add(*(small_spec(seed, epochs=80) for seed in range(3)), launcher="one")
    lab.wait(lambda: lab.lines(runs[1], 1, "checkpoint"), "a checkpoint of the second")
    os.kill(lab.lines(runs[1], 1, "start")[0].fields["pid"], signal.SIGKILL)
    lab.wait_done(*runs)
    assert [lab.run(run).losses for run in runs] == [0, 1, 0]
    for run in runs:
        assert [row["epoch"] for row in lab.epochs(run)] == list(range(1, 81))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_node_that_fails_loses_and_doubles_nothing(lab: Lab, cluster: Cluster) -> None:
    specs = [small_spec(seed, epochs=50) for seed in range(5)]
    lab.profile("wide", memory=9_000, jobs=2, runs_per_job="auto")
    runs = lab.add(*specs, launcher="wide")
    lab.wait(lambda: all(lab.lines(run, 1, "checkpoint") for run in runs[:2]), "checkpoints")
    assert {lab.job(run).node for run in runs[:2]} == {"n1", "n2"}
    (victim,) = [run for run in runs[:2] if lab.job(run).node == "n1"]
    cluster.kill("n1")
    os.kill(lab.lines(victim, 1, "start")[0].fields["pid"], signal.SIGKILL)
    lab.wait_done(*runs, seconds=400)
    for run in runs:
        assert [row["epoch"] for row in lab.epochs(run)] == list(range(1, 51))
    assert [lab.run(run).attempt for run in runs] == [2 if run == victim else 1 for run in runs]
    (here,) = lab.add(specs[runs.index(victim)], launcher=None)
    lab.wait_done(here, seconds=400)
    assert lab.epochs(victim) == lab.epochs(here)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_pilot_outlives_the_daemon_of_its_node(lab: Lab, cluster: Cluster) -> None:
    """Slurm gives the job up; the run in it goes on, and nothing is doubled."""
    lab.profile("one", runs_per_job="auto", jobs=1)
    (first,) = lab.add(small_spec(1, **LONG), launcher="one")
    lab.wait(lambda: lab.lines(first, 1, "epoch"), "an epoch")
    lab.wait(lambda: lab.job(first).node, "its node")
    cluster.kill(str(lab.job(first).node))
    lab.wait(lambda: lab.job(first).job_state == "NODE_FAIL", "Slurm to give it up")
    epochs = len(lab.lines(first, 1, "epoch"))
    lab.wait(lambda: len(lab.lines(first, 1, "epoch")) > epochs + 20, "it to go on")
    assert lab.run(first).state == "running"
    assert not lab.folder(first).journal(2).exists()
    os.kill(lab.lines(first, 1, "start")[0].fields["pid"], signal.SIGTERM)
    lab.wait(lambda: lab.lines(first, 2, "epoch"), "the next attempt, on the other node")
