"""Runs that go to a cluster: chosen on the Launch screen, and how they look on the Live screen."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from live_app import know_the_surroundings, show_live
from live_lines import screen_text
from live_runs import LiveStore
from pilots import settled, wait_for
from sizes import ONE_SIZE
from textual.pilot import Pilot
from textual.widgets import Select, Static

from engine.config import SlurmProfile
from engine.store.jobs import JobFacts
from engine.store.location import StoreLocation
from tui.app import SeqbenchApp
from tui.launch import cluster as launch_cluster
from tui.launch.cluster import jobs_text
from tui.launch.confirm import ConfirmScreen
from tui.launch.screen import LaunchScreen
from tui.live.run_facts import RunFacts

Compare = Callable[..., bool]
GPUS = SlurmProfile(name="big", kind="slurm", jobs=4, cpus=8, gpus=2, partition="gpu")


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    know_the_surroundings(monkeypatch, tmp_path)
    monkeypatch.delenv("SEQBENCH_DATA", raising=False)
    monkeypatch.setattr(launch_cluster, "on_cluster", lambda: True)
    monkeypatch.chdir(tmp_path)


def test_a_launcher_says_what_a_run_gets() -> None:
    assert jobs_text(9, GPUS) == "big: 4 jobs at once, 8 cores and 2 GPUs each, in gpu"
    assert jobs_text(1, replace_gpus(0)) == "big: 1 job, 8 cores, in gpu"


def replace_gpus(gpus: int) -> SlurmProfile:
    return GPUS.model_copy(update={"gpus": gpus})


async def choose_slurm(pilot: Pilot[None]) -> None:
    """The built-in profile, and the dialog."""
    await settled(pilot)
    screen = pilot.app.screen
    assert isinstance(screen, LaunchScreen)
    screen.query_one("#launcher", Select).value = "slurm"
    await settled(pilot)
    await pilot.press("enter")
    await wait_for(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen), "the dialog")
    await settled(pilot)


@pytest.mark.usefixtures("cluster")
async def test_a_run_is_launched_as_a_job(absent_store: StoreLocation) -> None:
    app = SeqbenchApp(absent_store)
    async with app.run_test(size=(120, 36)) as pilot:
        await choose_slurm(pilot)
        facts = str(app.screen.query_one("#facts", Static).content)
        assert "slurm: 1 job, 4 cores" in facts
        assert "8G of memory per job" in facts
        assert "Time" not in facts, "nobody knows how fast a node is"
        await pilot.press("enter")
        await wait_for(pilot, absent_store.db.exists, "the run is queued")
        await settled(pilot)
    with closing(sqlite3.connect(absent_store.db)) as con:
        assert con.execute("SELECT launcher, state FROM runs").fetchall() == [("slurm", "queued")]


async def test_without_a_cluster_nobody_is_asked(absent_store: StoreLocation) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        assert not pilot.app.screen.query("#launcher")


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize("size", ONE_SIZE, ids=str)
def test_confirming(
    snap_compare: Compare, absent_store: StoreLocation, size: tuple[int, int]
) -> None:
    assert snap_compare(SeqbenchApp(absent_store), terminal_size=size, run_before=choose_slurm)


PENDING = JobFacts("12", "low", None, "PENDING", "waits for enough free resources", None)
RUNS = JobFacts("12", "low", "n1", "RUNNING", "runs", 1_790_000_000.0)


def keep(store: LiveStore, run: str, job: JobFacts) -> None:
    """As the supervisor keeps what Slurm says."""
    with closing(sqlite3.connect(store.location.db)) as con, con:
        con.execute(
            "UPDATE attempts SET exited = NULL, job = ?, partition = ?, node = ?, job_state = ?,"
            " job_words = ?, job_stale = ? WHERE run = ?",
            (job.job, job.partition, job.node, job.job_state, job.job_words, job.job_stale, run),
        )


async def test_a_job_that_waits_says_why_and_one_that_runs_says_where(
    empty_store: LiveStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    know_the_surroundings(monkeypatch, tmp_path)
    run = empty_store.launch("sasrec")
    empty_store.train(run, 3)
    keep(empty_store, run, PENDING)
    app = SeqbenchApp(empty_store.location)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await show_live(pilot)
        (row,) = (line for line in screen_text(app) if "pending" in line)
        assert "on cluster" in row
        words = " ".join(screen_text_of(screen.query_one(RunFacts)))
        assert "job 12 in low waits for enough free resources" in " ".join(words.split())
        keep(empty_store, run, RUNS)
        await wait_for(pilot, lambda: "on n1" in facts_text(pilot), "the node")
        assert "Slurm isn't responding" in facts_text(pilot)
        assert not any("pending" in line for line in screen_text(app))


def screen_text_of(facts: RunFacts) -> list[str]:
    return ["".join(text for text, _ in line) for line in facts.draw(40, 20)]


def facts_text(pilot: Pilot[None]) -> str:
    words = screen_text_of(pilot.app.screen.query_one(RunFacts))
    return " ".join(" ".join(words).split())
