"""Every command over hostile text: one line stays one line, nothing acts, exports stay tables."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result
from held import worked_on
from hostile_store import FOLDER, hostile_store
from hostile_text import ACTING, HUGE, MARK, harms
from rich.cells import cell_len

from engine.store.connect import connect_writer
from engine.store.database import write
from engine.store.location import StoreLocation
from tui.cli.main import seqbench
from tui.shell.text import LONGEST

TEXTS = pytest.mark.parametrize(
    "text",
    [pytest.param(ACTING, id="acting"), pytest.param(HUGE, id="huge", marks=pytest.mark.slow)],
)
Lab = Callable[..., Result]
MakeLab = Callable[[str], tuple[StoreLocation, str, Lab]]


@pytest.fixture
def make_lab(tmp_path: Path) -> Iterator[MakeLab]:
    """A hostile store that is worked on, a run of it, and a way to run commands there."""
    held = ExitStack()

    def make(text: str) -> tuple[StoreLocation, str, Lab]:
        store, failed = hostile_store(tmp_path / FOLDER, text)
        held.enter_context(worked_on(store.location))

        def run(*words: str, status: int = 0) -> Result:
            command = ["--db", str(store.location.db), *words]
            result = CliRunner().invoke(seqbench, command, prog_name="seqbench")
            assert result.exit_code == status, result.output[:2_000]
            for output in (result.stdout, result.stderr):
                assert "Traceback" not in output
                assert not harms(output.replace("\n", "")), words
            return result

        return store.location, failed, run

    with held:
        yield make


@TEXTS
def test_what_people_read(make_lab: MakeLab, text: str) -> None:
    _, failed, run = make_lab(text)
    listed = run("ls").stdout
    assert MARK in listed
    assert len(listed.splitlines()) == 4
    assert max(map(len, listed.splitlines())) < 200
    for words in (("show", failed), ("logs", failed), ("db", "path"), ("cancel", failed)):
        lines = run(*words, status=words[0] == "cancel").output.splitlines()
        assert all(cell_len(line) <= LONGEST for line in lines), words
    assert MARK in run("show", failed).stdout
    assert run("logs", failed).stdout.count("\n") >= 4
    assert "lab" in run("doctor", status=1).stdout
    assert MARK in run("db", "check", status=1).stdout
    run("show", ACTING, status=2)
    run("compare", "--sort", ACTING, status=2)
    run("run", "--model", ACTING, "--dataset", "synthetic", status=2)
    run("run", "--model", "sasrec", "--dataset", "synthetic", "--set", ACTING, status=2)
    run(ACTING, status=2)


@TEXTS
def test_what_programs_read(make_lab: MakeLab, text: str) -> None:
    _, failed, run = make_lab(text)
    assert json.loads(run("ls", "--json").stdout)[0]["note"] == text
    assert json.loads(run("show", failed, "--json").stdout)["note"] == text
    assert json.loads(run("compare", "--format", "json").stdout)[0]["model"] == text
    csv.field_size_limit(10**8)
    rows = list(csv.reader(io.StringIO(run("compare", "--format", "csv").stdout)))
    assert {len(row) for row in rows} == {len(rows[0])}
    assert len(rows) == 4
    lines = run("compare", "--format", "md").stdout.splitlines()
    assert len(lines) == 5
    lines = run("compare").stdout.splitlines()
    assert len(lines) == 5 + 1
    assert MARK in lines[-1]
    assert max(map(len, lines)) < 5_000


def test_watching(make_lab: MakeLab) -> None:
    location, _, _ = make_lab(ACTING)
    command = [sys.executable, "-m", "tui.cli", "--db", str(location.db), "watch"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as watching:
        assert watching.stdout is not None
        said = watching.stdout.readline()
        with closing(connect_writer(location)) as connection, write(connection):
            connection.execute("UPDATE runs SET state = 'cancelled' WHERE state <> 'failed'")
        said += watching.stdout.read()
    lines = said.decode().splitlines()
    assert sum(f"cancelled: {MARK}" in line or "[red]" in line for line in lines) == 2
    assert not any(map(harms, lines))
    assert lines[-1] == "The queue is empty."


@TEXTS
def test_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.delenv("SEQBENCH_DATA", raising=False)
    for kind, name, content in (
        ("suites", "smoke", {"title": text[:5_000], "note": text[:5_000]}),
        ("datasets", "ml-100k", {"title": text[:5_000], "license": text[:5_000]}),
    ):
        path = tmp_path / "layer" / kind / f"{name}.yaml"
        path.parent.mkdir(parents=True)
        path.write_text(yaml.safe_dump({"name": name, **content}, width=10**6))
    for words, status in (
        (("suite", "ls"), 0),
        (("suite", "show", "smoke"), 0),
        (("data", "ls"), 0),
        (("data", "verify", "ml-100k"), 1),
        (("run", "--model", "sasrec", "--dataset", "ml-100k"), 1),
    ):
        command = ["--config-dir", str(tmp_path / "layer"), "--db", str(tmp_path / "x.db"), *words]
        result = CliRunner().invoke(seqbench, command, prog_name="seqbench")
        assert result.exit_code == status, result.output[:2_000]
        assert not harms(result.output.replace("\n", "")), words
        assert all(cell_len(line) <= LONGEST for line in result.output.splitlines())
