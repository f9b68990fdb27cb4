"""`doctor` and `db`: what is wrong is found, and said with its cure."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from live_runs import LiveStore
from nvidia import Gpu, Machine

from engine.limits import CpuQuota, Limits, MemoryLimit
from engine.store.connect import connect_writer
from engine.store.database import write
from engine.store.intake.folders import save_unsaved
from engine.store.location import StoreLocation
from tui.cli.doctor.checks import bf16_units, cores_text, memory_text

Run = Callable[..., Result]
RunJson = Callable[..., Any]


@pytest.fixture
def saved(held: StoreLocation, busy_store: LiveStore) -> StoreLocation:
    """Every run has its folder, as a supervisor leaves it."""
    with closing(connect_writer(held)) as connection:
        save_unsaved(connection, held)
    return held


def test_a_new_machine_is_well_and_told_what_it_has(cli: Run, tmp_path: Path) -> None:
    result = cli("doctor")
    assert result.exit_code == 0
    assert result.stderr == "Everything is fine.\n"
    for word in ("torch", "textual", "gpu", "cpu", "ready:", "store", "logout", "terminal", "disk"):
        assert word in result.stdout
    assert "is not made yet" in result.stdout
    assert not list(tmp_path.glob("runs*"))


def test_findings_for_programs(cli_json: RunJson, saved: StoreLocation) -> None:
    found = cli_json("doctor", "--json")
    assert found["ok"] is True
    topics = {finding["topic"]: finding for finding in found["findings"]}
    assert "7 runs, sound" in topics["store"]["text"]
    assert "journal mode wal" in topics["store"]["text"]
    assert "3 runs queued or running" in topics["supervisor"]["text"]
    assert all(finding.keys() == topics["store"].keys() for finding in found["findings"])


def test_each_problem_has_its_cure(
    cli: Run, saved: StoreLocation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SEQBENCH_DATA", str(tmp_path / "absent"))
    monkeypatch.setenv("SEQBENCH_CONFIG", str(tmp_path / "absent-too"))
    saved.db.write_bytes(b"not a database at all" * 100)
    result = cli("doctor")
    assert result.exit_code == 1
    assert result.stdout.count("PROBLEM") == int(result.stderr.split()[0]) >= 3
    assert "which isn't a folder" in result.stdout
    assert "is not a folder: --config-dir takes one like configs/." in result.stdout
    assert "`seqbench db rebuild` rebuilds it" in result.stdout


def test_a_bad_line_of_a_journal_is_reported(
    cli: Run, saved: StoreLocation, busy_store: LiveStore
) -> None:
    run = next(folder.run_id for folder in saved.folders() if folder.journals())
    with saved.folder(run).journal(1).open("ab") as file:
        file.write(b"\xff garbage\n")
    busy_store.journal(run, [])
    for command in (["doctor"], ["db", "check"]):
        result = cli(*command)
        assert result.exit_code == 1
        assert f"{run}: journal 1, byte " in result.stdout


def test_a_run_without_a_folder_is_reported(cli: Run, saved: StoreLocation) -> None:
    run = next(folder.run_id for folder in saved.folders() if folder.journals())
    shutil.rmtree(saved.folder(run).path)
    assert f"The folder of {run} is gone" in cli("db", "check").stdout
    found = cli("doctor").stdout
    assert f"PROBLEM store         The folder of {run} is gone" in found
    assert "→ `seqbench db rebuild` removes the run." in found


def test_a_store_is_checked_rebuilt_and_the_same(
    cli: Run, cli_json: RunJson, saved: StoreLocation
) -> None:
    assert cli("db", "path").stdout == f"{saved.db}\n"
    assert cli_json("db", "check", "--json") == {"db": str(saved.db), "problems": []}
    before = cli("compare", "--format", "csv").stdout
    for path in saved.db.parent.glob("runs.db*"):
        path.unlink()
    rebuilt = cli("db", "rebuild")
    assert rebuilt.exit_code == 0
    assert "from 7 run folders" in rebuilt.stderr
    assert cli("compare", "--format", "csv").stdout == before
    assert cli("db", "check").stdout == f"{saved.db} is sound.\n"


def test_a_missing_store_is_made_by_whoever_reads_it(
    cli: Run, cli_json: RunJson, saved: StoreLocation
) -> None:
    for path in saved.db.parent.glob("runs.db*"):
        path.unlink()
    assert len(cli_json("ls", "--json")) == 7


def test_a_run_that_the_store_lacks_is_noticed(cli: Run, saved: StoreLocation) -> None:
    with closing(connect_writer(saved)) as connection, write(connection):
        connection.execute("DELETE FROM runs WHERE state = 'failed'")
    result = cli("db", "check")
    assert result.exit_code == 1
    assert " isn't in the store: `seqbench db rebuild` adds it." in result.stdout
    assert cli("db", "rebuild").exit_code == 0
    assert cli("db", "check").exit_code == 0


def test_another_programs_database_is_left_alone(cli: Run, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "runs.db")) as connection:
        connection.execute("CREATE TABLE theirs (x)")
        connection.commit()
    before = (tmp_path / "runs.db").read_bytes()
    for command in (["ls"], ["db", "rebuild"], ["db", "check"]):
        result = cli(*command)
        assert result.exit_code == 1
        assert "is a database of another program" in result.stdout + result.stderr
    assert (tmp_path / "runs.db").read_bytes() == before


@pytest.mark.parametrize(
    ("flags", "units"),
    [("fpu avx512_bf16 amx_bf16", ["avx512_bf16", "amx_bf16"]), ("fpu avx512f", []), ("", [])],
)
def test_bf16_is_read_from_the_flags(tmp_path: Path, flags: str, units: list[str]) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"model name\t: X avx512_bf16\nflags\t\t: {flags}\n")
    assert bf16_units(cpuinfo) == units
    assert bf16_units(tmp_path / "absent") == []


def test_a_limit_is_named_with_the_file_that_sets_it() -> None:
    cores = frozenset(range(64))
    free = Limits(cores=64, memory=24 * 2**30, allowed=cores)
    assert (cores_text(free), memory_text(free)) == ("64 cores", "24.0 GiB of memory")
    quota = CpuQuota(0.5, Path("/sys/fs/cgroup/lab/cpu.max"), None)
    limit = MemoryLimit(700 * 2**20, Path("/sys/fs/cgroup/lab/memory.max"))
    held = Limits(1, limit.bytes, cores, quota, limit)
    assert cores_text(held) == "1 core (0.5 by /sys/fs/cgroup/lab/cpu.max)"
    assert memory_text(held) == "0.7 GiB of memory (by /sys/fs/cgroup/lab/memory.max)"


def test_gpus_that_the_environment_hides_are_not_blamed_on_torch(
    nvidia: Machine, tmp_path: Path
) -> None:
    nvidia.has(Gpu("GPU-aaaa"))
    done = subprocess.run(
        [sys.executable, "-m", "tui.cli", "--db", tmp_path / "runs.db", "doctor", "--json"],
        env=nvidia.environment | {"CUDA_VISIBLE_DEVICES": "2"},
        capture_output=True,
        text=True,
        check=False,
    )
    said = [each for each in json.loads(done.stdout)["findings"] if each["topic"] == "gpu"]
    assert [each["level"] for each in said] == ["ok", "note"]
    assert said[1]["text"] == (
        "CUDA_VISIBLE_DEVICES is '2', and '2' isn't a GPU here (the only GPU is 0): no GPU is used."
        " Runs train on the CPU."
    )
