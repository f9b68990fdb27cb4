"""Runs for a cluster on the command line, without one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from engine.store import transitions
from engine.store.connect import connect_writer
from engine.store.database import write
from engine.store.jobs import JobFacts, record_job
from engine.store.location import StoreLocation

Run = Callable[..., Result]
QUEUED = ("run", "--model", "sasrec", "--dataset", "synthetic", "--launcher", "slurm")


def test_a_dry_run_shows_the_batch_script(cli: Run, tmp_path: Path) -> None:
    result = cli(*QUEUED, "--dry-run")
    assert result.exit_code == 0
    script = result.stdout.partition("#!/bin/bash")[2]
    assert "#SBATCH --no-requeue" in script
    assert f"engine.worker.resident {tmp_path}/runs/.workers/slurm --pilot" in script
    assert not (tmp_path / "runs.db").exists()


def test_a_dry_run_gives_the_script_to_programs(cli_json: Callable[..., Any]) -> None:
    found = cli_json(*QUEUED, "--dry-run", "--json")
    assert [each["model"] for each in found["plan"]] == ["sasrec"]
    assert found["script"].startswith("#!/bin/bash\n")
    local = cli_json(*QUEUED[:-1], "local", "--dry-run", "--json")
    assert [each["model"] for each in local] == ["sasrec"]


def test_a_launcher_that_is_not_there_is_named(cli: Run, tmp_path: Path) -> None:
    result = cli(*QUEUED[:-1], "slrm")
    assert result.exit_code == 2
    assert "did you mean 'slurm'?" in result.stderr
    assert not (tmp_path / "runs.db").exists()


@pytest.mark.parametrize(
    ("state", "words", "shown"),
    [("PENDING", "waits for enough free resources", "pending"), ("RUNNING", "runs", "running")],
)
def test_what_becomes_of_a_job_is_said(
    cli: Run, cli_json: Callable[..., Any], held: StoreLocation, state: str, words: str, shown: str
) -> None:
    run = cli(*QUEUED).stdout.strip()
    node = "n1" if state == "RUNNING" else None
    with closing(connect_writer(held)) as connection, write(connection):
        transitions.begin_attempt(connection, run, "slurm/0", "here")
        record_job(connection, run, 1, JobFacts("12", "low", node, state, words, None))
    listed = cli("ls").stdout.splitlines()[1]
    assert listed.split()[1] == shown
    assert words in listed
    where = " on n1" if node else ""
    assert f"job 12 in low{where} {words}" in cli("show", run).stdout
    assert "for slurm" in cli("show", run).stdout
    (found,) = cli_json("ls", "--json")
    assert (found["launcher"], found["job"]["job"], found["state"]) == ("slurm", "12", "running")


def test_where_there_is_no_slurm_the_doctor_says_what_is_missing(
    cli: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    result = cli("doctor", "--launcher", "slurm")
    assert result.exit_code == 1
    assert "sbatch isn't found: is this a machine of the cluster?" in result.stdout


@pytest.mark.parametrize("place", ["cache", "runs"])
def test_a_folder_that_cannot_be_written_is_said(
    cli: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: str
) -> None:
    commands = tmp_path / "bin"
    commands.mkdir()
    for name, answer in (("sbatch", "slurm 25.05.1"), ("sinfo", "all*|up|infinite|4")):
        (commands / name).write_text(f"#!/bin/sh\necho '{answer}'\n")
        (commands / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(commands), prepend=":")
    (tmp_path / place).write_text("no folder")
    result = cli("doctor", "--launcher", "slurm")
    assert result.exit_code == 1
    assert f"{tmp_path / place} can't be written: File exists" in result.stdout
    assert "SEQBENCH_CACHE" in result.stdout
