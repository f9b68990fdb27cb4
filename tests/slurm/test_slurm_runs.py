"""Runs as jobs of a real Slurm: to their end, cancelled, preempted, over their time, doubled."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from cluster import Cluster
from lab import Lab, small_spec

from engine.config import load_catalogue
from engine.planning import enqueue_further
from engine.spec import Dataset
from engine.store.intake.rebuild import rebuild
from engine.store.requests import request_cancel, request_retry

LONG = {"epochs": 100_000}


def states(cluster: Cluster, run: str) -> list[str]:
    return [state for _, name, state in cluster.jobs() if f"/{run}/" in name]


def test_runs_end_as_they_do_on_this_machine(lab: Lab) -> None:
    """Equal settings, equal seeds: equal figures, wherever they were trained."""
    (there,) = lab.add(small_spec(1))
    (here,) = lab.add(small_spec(1), launcher=None)
    lab.wait_done(there, here)
    assert lab.epochs(there) == lab.epochs(here)
    ranks = [np.load(lab.folder(run).test_ranks, allow_pickle=False) for run in (there, here)]
    assert np.array_equal(*ranks)
    (attempt,) = lab.attempts(there)
    assert attempt["slot"].startswith("low/")
    assert attempt["node"] in ("n1", "n2")
    (start,) = lab.lines(there, 1, "start")
    assert start.fields["job"]["id"] == attempt["job"]
    assert start.fields["job"]["partition"] == "low"
    assert "job" not in lab.lines(here, 1, "start")[0].fields

    rebuild(lab.location)
    assert lab.run(there).launcher == "low"
    assert lab.run(here).launcher is None
    assert lab.attempts(there)[0]["job"] == attempt["job"]


@pytest.mark.slow
def test_a_run_goes_on_past_its_limit_as_another_job(lab: Lab) -> None:
    (short,) = lab.add(small_spec(1, epochs=2, patience=9))
    lab.wait_done(short)
    (further,) = enqueue_further(lab.location, None, [short], 4)
    lab.supervise()
    lab.wait_done(further)
    (whole,) = lab.add(small_spec(1, epochs=4, patience=9))
    lab.wait_done(whole)
    (start,) = lab.lines(further, 2, "start")
    before, now = lab.attempts(further)
    assert start.fields["resumed_epoch"] == 2
    assert start.fields["job"]["id"] == now["job"] != before["job"]
    assert lab.epochs(further) == lab.epochs(whole)
    assert lab.folder(further).test_ranks.read_bytes() == lab.folder(whole).test_ranks.read_bytes()


def test_cancelled_runs_stay_so_until_they_are_retried(lab: Lab, cluster: Cluster) -> None:
    lab.rehearse("rehearsing")
    holds = small_spec(1).model_copy(update={"profile": "hold"})
    (running,) = lab.add(holds, launcher="rehearsing")
    lab.profile("held", options=["--hold"])
    (waiting,) = lab.add(small_spec(2), launcher="held")
    lab.wait(lambda: lab.lines(running, 1, "epoch"), "an epoch")
    lab.wait(lambda: lab.job(waiting).job_words == HELD, "the other to be held")
    request_cancel(lab.location, [running, waiting])
    lab.wait(lambda: lab.run(running).state == lab.run(waiting).state == "cancelled", "cancelled")
    assert lab.lines(running, 1, "end")[0].fields["status"] == "cancelled"
    assert states(cluster, waiting) == ["CANCELLED"]
    cluster.wait(lambda: states(cluster, running) == ["CANCELLED"], "one job, cancelled")

    request_retry(lab.location, [running])
    lab.supervise()
    lab.wait(lambda: len(states(cluster, running)) == 2, "the next attempt's job")


OWN = """\
from torch import nn

from engine.models import Definition, ModelSettings, OutputLayer, SequenceModel

class Net(SequenceModel):
    def __init__(self, settings, num_items, length):
        super().__init__()
        self.num_items, self.length = num_items, length
        self.items = nn.Embedding(num_items + 1, 8)

    def hidden(self, items, *, last_only=False):
        return self.items(items[:, -1:] if last_only else items)

    def output_layer(self):
        return OutputLayer(self.items.weight)

MODEL = Definition("Own", ModelSettings, Net)
"""


def test_a_node_needs_of_ones_own_model_only_the_run_folder(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "models" / "own.py"
    file.parent.mkdir()
    file.write_text(OWN)
    chosen = {"epochs": 2, "batch_size": 256}
    spec = load_catalogue().run_spec("own", "synthetic", 10, 1, overrides=chosen)
    lab.profile("bare", environment={"HOME": "/nowhere", "XDG_STATE_HOME": "/nowhere"})
    (run,) = lab.add(spec, launcher="bare")
    file.unlink()
    lab.wait_done(run)
    (start,) = lab.lines(run, 1, "start")
    assert start.fields["job"]["partition"] == "low"
    assert start.fields["model_file"]["file"] == "own.py"


MINE = {
    "name": "mine",
    "title": "Mine",
    "size": "small",
    "reader": "movielens-tab",
    "users": 100,
    "items": 40,
    "interactions": 1_500,
    "folder": "mine",
    "files": {"u.data": None},
}
RATINGS = "".join(
    f"{user}\t{1 + (user * 7 + place * (1 + user % 3)) % 40}\t5\t{place}\n"
    for user in range(1, 81)
    for place in range(15)
)
HELD = "waits, held by its user: `scontrol release` lets it go"


@pytest.mark.slow
def test_what_the_user_cancels_by_scancel_is_not_brought_back(lab: Lab, cluster: Cluster) -> None:
    (run,) = lab.add(small_spec(1, **LONG))
    lab.wait(lambda: lab.lines(run, 1, "epoch"), "an epoch")
    cluster.command("scancel", str(lab.job(run).job))
    lab.wait(lambda: lab.run(run).state == "cancelled", "it to be cancelled")
    assert lab.lines(run, 1, "end")[0].fields["status"] == "preempted"
    assert "with Slurm's own means" in (lab.run(run).message or "")
    assert states(cluster, run) == ["CANCELLED"]


@pytest.mark.slow
def test_a_preempted_run_goes_on_from_its_checkpoint(lab: Lab, cluster: Cluster) -> None:
    (run,) = lab.add(small_spec(1, epochs=80))
    lab.wait(lambda: lab.lines(run, 1, "checkpoint"), "a checkpoint")
    high = ("sbatch", "--parsable", "-p", "high", "-N2", "--exclusive", "-o", "/dev/null")
    blocker = cluster.command(*high, "--wrap", "srun sleep 600").strip()
    lab.wait(lambda: lab.lines(run, 1, "end"), "it to make way")
    assert lab.lines(run, 1, "end")[0].fields["status"] == "preempted"
    lab.wait(lambda: "waits" in str(lab.job(run).job_words), "it to wait")
    assert lab.job(run).job_state == "PENDING"
    cluster.command("scancel", blocker)
    lab.wait_done(run)
    assert lab.run(run).losses == 0
    resumed = lab.lines(run, 2, "start")[0].fields["resumed_epoch"]
    assert resumed == lab.lines(run, 1, "checkpoint")[-1].fields["epoch"]
    assert [row["epoch"] for row in lab.epochs(run)] == list(range(1, 81))


@pytest.mark.slow
def test_a_run_longer_than_its_jobs_goes_on_in_the_next(lab: Lab, cluster: Cluster) -> None:
    lab.profile("short", time=60, warn_seconds=90)
    (run,) = lab.add(small_spec(1, **LONG), launcher="short")
    lab.wait(lambda: lab.lines(run, 1, "checkpoint"), "a checkpoint")
    # Slurm warns once less than 90 s are left, which leaves a minute for the last word.
    minutes = int(time.time() - lab.lines(run, 1, "start")[0].t) // 60 + 3
    job = str(lab.job(run).job)
    cluster.command("scontrol", "update", f"jobid={job}", f"timelimit={minutes}")
    lab.wait(lambda: lab.lines(run, 2, "epoch"), "a second job", 300)
    assert lab.lines(run, 1, "end")[0].fields["status"] == "preempted"
    resumed = lab.lines(run, 2, "start")[0].fields["resumed_epoch"]
    assert resumed == lab.lines(run, 1, "checkpoint")[-1].fields["epoch"] > 0
    assert lab.run(run).losses == 0


def test_a_supervisor_killed_while_it_submits_doubles_nothing(lab: Lab, cluster: Cluster) -> None:
    def submissions(run: str) -> int:
        return len(states(cluster, run))

    lab.rehearse("rehearsing")
    runs = lab.add(*(small_spec(seed) for seed in range(3)), launcher="rehearsing")
    for submitted in (1, 2):
        lab.wait(lambda n=submitted: sum(map(submissions, runs)) >= n, "some jobs")
        lab.kill_supervisor()
        lab.supervise()
    lab.wait_done(*runs)
    for run in runs:
        assert [attempt["attempt"] for attempt in lab.attempts(run)] == [1], lab.report()
        cluster.wait(lambda name=run: states(cluster, name) == ["COMPLETED"], "one job, ended")


@pytest.mark.slow
def test_a_job_whose_number_was_not_kept_is_found_by_its_name(lab: Lab, cluster: Cluster) -> None:
    (run,) = lab.add(small_spec(1, **LONG))
    lab.wait(lambda: lab.lines(run, 1, "epoch"), "an epoch")
    number = lab.job(run).job
    lab.kill_supervisor()
    lab.folder(run).job(1).unlink()
    lab.supervise()
    lab.wait(lambda: lab.folder(run).job(1).exists(), "the number to be kept again")
    assert lab.job(run).job == number
    assert states(cluster, run) == ["RUNNING"]


@pytest.mark.slow
def test_a_job_submitted_twice_trains_once(lab: Lab, cluster: Cluster) -> None:
    (run,) = lab.add(small_spec(1, **LONG))
    lab.wait(lambda: lab.lines(run, 1, "epoch"), "an epoch")
    folder = lab.folder(run)
    name = next(name for _, name, _ in cluster.jobs() if f"/{run}/" in name)
    cluster.command("sbatch", f"--chdir={folder.path}", f"--job-name={name}", "--output=twice.txt",
                    "--hold", str(folder.job_script(1)))  # fmt: skip
    lab.wait(
        lambda: sorted(states(cluster, run)) == ["CANCELLED", "RUNNING"], "one to be cancelled"
    )


@pytest.mark.slow
def test_a_worker_that_is_killed_is_retried(lab: Lab) -> None:
    (run,) = lab.add(small_spec(1, epochs=120))
    lab.wait(lambda: lab.lines(run, 1, "checkpoint"), "a checkpoint")
    os.kill(lab.lines(run, 1, "start")[0].fields["pid"], signal.SIGKILL)
    lab.wait_done(run)
    assert (lab.run(run).attempt, lab.run(run).losses) == (2, 1)
    assert [row["epoch"] for row in lab.epochs(run)] == list(range(1, 121))


@pytest.mark.slow
def test_what_slurm_refuses_fails_with_its_reason(lab: Lab) -> None:
    lab.profile("wrong", partition="nowhere")
    lab.profile("broken", setup=["module load nothing-here"])
    (refused,) = lab.add(small_spec(1), launcher="wrong")
    (failed,) = lab.add(small_spec(2), launcher="broken")
    lab.wait(lambda: lab.run(refused).state == lab.run(failed).state == "failed", "failures")
    assert "nvalid partition" in (lab.run(refused).message or "")
    assert "before its worker began" in (lab.run(failed).message or "")
    assert (
        "This line of setup failed: module load nothing-here" in lab.folder(failed).log.read_text()
    )


def test_a_launcher_that_is_gone_is_said(lab: Lab) -> None:
    lab.profile("soon-gone", options=["--hold"], jobs=1)
    first, second = lab.add(small_spec(1), small_spec(2), launcher="soon-gone")
    lab.wait(lambda: first in lab.jobs(), "the first to be submitted")
    (lab.configs / "launchers" / "soon-gone.yaml").unlink()
    lab.wait(lambda: lab.run(second).state == "failed", "the second to fail")
    assert "no launcher 'soon-gone' any more" in (lab.run(second).message or "")


@pytest.mark.slow
def test_data_is_prepared_once_before_the_first_job(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "data" / "mine"
    folder.mkdir(parents=True)
    (folder / "u.data").write_text(RATINGS)
    monkeypatch.setenv("SEQBENCH_DATA", str(tmp_path / "data"))
    source = Dataset.model_validate(MINE)
    runs = lab.add(*(small_spec(seed).model_copy(update={"source": source}) for seed in range(3)))
    lab.wait_done(*runs)
    prepared = list((tmp_path / "cache" / "prepared").glob("*.seqbench"))
    assert len(prepared) == 1
    begun = [lab.lines(run, 1, "start")[0].t for run in runs]
    assert prepared[0].stat().st_mtime < min(begun)


@pytest.mark.slow
def test_the_doctor_goes_the_way_to_a_node_and_back(lab: Lab, cluster: Cluster) -> None:
    from click.testing import CliRunner

    from tui.cli.main import seqbench

    def doctor(launcher: str) -> tuple[int, str]:
        command = ["--db", str(lab.location.db), "doctor", "--launcher", launcher]
        result = CliRunner().invoke(seqbench, command, prog_name="seqbench")
        return result.exit_code, result.stdout

    status, said = doctor("low")
    assert status == 0, said
    for topic in ("commands", "partition", "node", "clock", "python", "torch", "data"):
        assert f"ok      {topic}" in said
    lab.profile("broken", python="/nowhere/python")
    status, said = doctor("broken")
    assert status == 1
    assert "/nowhere/python" in said
    lab.profile("wrong", partition="nowhere")
    status, said = doctor("wrong")
    assert status == 1
    assert "Set `partition` in the profile: low, high." in said
    assert not list(lab.location.runs.glob(".probe-*"))
    assert not cluster.jobs("pending,running")


@pytest.mark.slow
def test_gpus_are_asked_for_and_given(lab: Lab, cluster: Cluster) -> None:
    """The cluster's GPUs are none, so a worker can only say so."""
    lab.profile("gpu", gpus=1)
    (run,) = lab.add(small_spec(1), launcher="gpu")
    lab.wait(lambda: lab.run(run).state == "failed", "its end")
    assert lab.run(run).cause == "device"
    job = cluster.command("scontrol", "show", "job", str(lab.attempts(run)[0]["job"]))
    assert "TresPerNode=gres:gpu:1" in job
