"""What is kept of pilots in files, and what is made of it."""

from __future__ import annotations

import errno
import json
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from engine.config import SlurmProfile
from engine.journal import JournalWriter
from engine.runfolder import RunFolder
from engine.rungs import PAUSED
from engine.store.transitions import LiveAttempt
from engine.supervisor.slurm.client import Job
from engine.supervisor.slurm.jobfile import read_job, read_placement
from engine.supervisor.slurm.piloted import (
    Piloted,
    ending_in,
    facts_of,
    is_held,
    needs_whole_time,
)
from engine.supervisor.slurm.piloting import PilotLauncher
from engine.supervisor.slurm.pilots import Pilot, load_pilot, make_pilot, pilots_of, terms_of
from engine.supervisor.slurm.script import example_script


def profile(**keys: object) -> SlurmProfile:
    return SlurmProfile.model_validate({"name": "low", "kind": "slurm"} | keys)


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path / "a-run")
    folder.path.mkdir()
    return folder


@pytest.fixture
def pilot(tmp_path: Path) -> Pilot:
    made = make_pilot(tmp_path, profile())
    made.job.keep("12")
    return made


def journal(run: RunFolder, attempt: int, status: str) -> None:
    with JournalWriter(run.journal(attempt)) as writer:
        writer.write("start")
        writer.write("end", status=status)


def test_a_pilot_is_found_again_as_it_was(tmp_path: Path, run: RunFolder, pilot: Pilot) -> None:
    assert pilot.is_coming
    assert not pilot.is_open
    assert pilot.folder.open()
    assert pilot.is_open
    placement = pilot.hand_over(run, 1, profile())
    assert placement is not None
    assert placement.first
    (found,) = pilots_of(tmp_path, profile())
    assert (found.name, found.job.number, found.used) == (pilot.name, "12", True)
    assert found.terms == terms_of(profile())
    assert not found.was_ended
    assert read_placement(run, 1) == placement
    assert read_job(run, 1) == "12"
    assert run.job_script(1).read_text() == pilot.script.read_text()
    found.end()
    assert load_pilot(tmp_path, pilot.name).job.cancel
    assert not list(pilots_of(tmp_path, profile(name="lo")))


def test_what_no_pilot_takes_was_handed_to_nobody(run: RunFolder, pilot: Pilot) -> None:
    assert pilot.hand_over(run, 1, profile()) is None
    assert not list(run.path.iterdir())
    assert not pilot.used
    pilot.remove()
    assert pilot.hand_over(run, 1, profile()) is None


def test_other_terms_are_other_pilots() -> None:
    assert terms_of(profile(cpus=2)) != terms_of(profile())
    assert terms_of(profile(jobs=2)) == terms_of(profile())


def test_a_placement_is_of_attempts_in_pilots_only(run: RunFolder) -> None:
    assert read_placement(run, 1) is None
    run.job(1).write_text(json.dumps({"job": "7"}))
    assert read_placement(run, 1) is None
    run.job(1).write_text("[]")
    assert read_placement(run, 1) is None


def test_the_script_that_is_shown_is_of_the_kind_that_is_submitted(run: RunFolder) -> None:
    assert "--most-runs 3" in example_script(profile(runs_per_job=3), run)
    assert "engine.worker.resident" in example_script(profile(), run)
    assert "--most-runs" not in example_script(profile(), run)
    assert "--at-once" not in example_script(profile(), run)
    assert "--at-once 8" in example_script(profile(gpus=1), run)
    assert "--at-once 3" in example_script(profile(shards=1, runs_per_job=3), run)
    assert f"engine.worker {run.path}" in example_script(profile(runs_per_job=1), run)


@pytest.mark.parametrize(
    ("status", "checkpoint", "whole"),
    [("preempted", False, True), ("preempted", True, False), ("failed", False, False)],
)
def test_a_run_that_did_not_come_to_a_checkpoint_needs_the_whole_time(
    run: RunFolder, status: str, checkpoint: bool, whole: bool
) -> None:
    assert not needs_whole_time(Piloted(run, 1))
    journal(run, 1, status)
    if checkpoint:
        run.checkpoint(1).touch()
    assert needs_whole_time(Piloted(run, 2)) == whole
    assert not needs_whole_time(Piloted(run, 3)), "the attempt before never began"


def test_why_a_job_could_not_be_submitted_is_told(tmp_path: Path, run: RunFolder) -> None:
    """Where Slurm answers, but takes no further job."""
    awaited = make_pilot(tmp_path, profile())
    attempt = Piloted(run, 1, prepared=True, awaited=awaited, waits="couldn't be submitted yet")
    facts = facts_of(attempt, None, "low")
    assert facts is not None
    assert (facts.job_state, facts.job_words) == ("SUBMITTING", "couldn't be submitted yet")
    awaited.job.keep("12")
    facts = facts_of(attempt, None, "low")
    assert facts is not None
    assert (facts.job_state, facts.job_words) == ("PENDING", "was submitted")


@pytest.mark.parametrize(
    ("number", "ending"), [(errno.EDQUOT, None), (errno.EACCES, ("failed", "launch"))]
)
def test_a_run_waits_for_a_disk_that_has_no_room_to_hand_it_over(
    run: RunFolder,
    pilot: Pilot,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    ending: tuple[str, str] | None,
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("engine.supervisor.slurm.pilots.save_job", refuse)
    assert pilot.folder.open()
    attempt = Piloted(run, 1, prepared=True)
    assert PilotLauncher(profile())._hand_over(attempt, pilot) == (ending is not None)
    assert (attempt.ending and (attempt.ending.status, attempt.ending.cause)) == ending
    facts = facts_of(attempt, None, "low")
    assert facts is not None
    assert facts.job_words == f"couldn't be started yet: {os.strerror(number)}"
    assert not run.job(1).exists()


def test_a_trial_at_a_rung_leaves_its_pilot_at_once(run: RunFolder, pilot: Pilot) -> None:
    pilot.job.seen = Job("12", "", "RUNNING", "None", "low", "n1")
    now = time.time()
    stopped = LiveAttempt(
        "a-run", 1, "preempted", "low/0", None, now, now, "low", None, None, None, cause="preempted"
    )
    attempt = Piloted(run, 1, pilot)
    assert is_held(attempt, pilot, stopped, 60.0, stale=False), "was it cancelled?"
    assert not is_held(attempt, pilot, replace(stopped, cause=PAUSED), 60.0, stale=False)


def test_how_an_attempt_in_a_pilot_ended(run: RunFolder, pilot: Pilot) -> None:
    attempt = Piloted(run, 1, pilot)
    assert ending_in(attempt, pilot).status == "lost", "the pilot lives"
    pilot.job.gone, pilot.job.seen = 1.0, Job("12", "", "TIMEOUT", "None", "low", "n1")
    ending = ending_in(attempt, pilot)
    assert (ending.cause, ending.counts) == ("not-begun", False)
    with JournalWriter(run.journal(1)) as writer:
        writer.write("start")
    ending = ending_in(attempt, pilot)
    assert (ending.status, ending.cause, ending.counts) == ("preempted", "time-limit", False)
    attempt.first = True
    assert ending_in(attempt, pilot).counts
    pilot.end()
    ending = ending_in(attempt, pilot)
    assert (ending.status, ending.counts) == ("preempted", False)
    pilot.job.seen = Job("12", "", "OUT_OF_MEMORY", "None", "low", "n1")
    (pilot.folder.path / "ended").unlink()
    assert ending_in(attempt, pilot).status == "failed"
    pilot.shared = True
    assert ending_in(attempt, pilot).status == "lost", "any of them may have taken it"
    (pilot.folder.path / "a-run.1.without-room").touch()
    assert ending_in(attempt, pilot).cause == "disk-full"
