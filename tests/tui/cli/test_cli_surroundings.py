"""Commands of a user without a name, without a home folder, with nothing that can be written."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from namespaces import ANOTHER, as_another_user
from terminals import APP, DEADLINE, Terminal

ROOT = Path(__file__).parents[3]
NOWHERE = "/proc/nowhere"
"""A folder that nobody can make."""
NO_HOME = "set HOME to a folder of yours, or name one in SEQBENCH_CACHE."


def no_file_may_be_written() -> None:
    """As where every disk is full, or only to be read. Pipes are no files."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def bare(
    *command: str,
    environment: dict[str, str] | None = None,
    preexec: Callable[[], None] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run with this environment and no other, as a user whom the system doesn't know."""
    given = {"PYTHONPATH": str(ROOT)} | (environment or {})
    if "TMPDIR" not in given:
        given["TMPDIR"] = str(Path.cwd())
    settings = [f"{name}={value}" for name, value in given.items()]
    done = subprocess.run(
        as_another_user("env", "-i", *settings, *command),
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
        preexec_fn=preexec,
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done


def seqbench(
    *words: str, environment: dict[str, str] | None = None, **more: Callable[[], None]
) -> subprocess.CompletedProcess[str]:
    return bare(sys.executable, "-m", "tui.cli", *words, environment=environment, **more)


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    "environment",
    [
        {"HOME": "/usr"},
        {},
        {"HOME": "/usr", "TMPDIR": NOWHERE},
        {"HOME": NOWHERE},
        {"LC_ALL": "C"},
        {"PYTHONIOENCODING": "ascii"},
    ],
    ids=str,
)
def test_doctor_looks_at_everything(tmp_path: Path, environment: dict[str, str]) -> None:
    done = seqbench("doctor", environment=environment)
    assert done.returncode == 0, done.stdout
    assert "looked for in" in done.stdout
    assert "background runs outlive it" in done.stdout
    assert done.stderr == "Everything is fine.\n"
    if environment == {}:
        assert f"looked for in {tmp_path}/seqbench-{ANOTHER}/cache/data" in done.stdout


def test_a_cache_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o555)
    done = seqbench("doctor", environment={"HOME": str(home)})
    assert done.returncode == 0
    assert f"{home}/.cache/seqbench/data can't be written" in done.stdout
    assert "SEQBENCH_CACHE" in done.stdout
    here = seqbench("doctor", environment={"HOME": str(tmp_path)})
    assert "can't be written" not in here.stdout


def test_where_nothing_can_be_written_a_sentence_says_so() -> None:
    done = seqbench("data", "ls", preexec=no_file_may_be_written)
    assert done.returncode == 1
    assert done.stderr == (
        "seqbench: No home folder is known, and no temporary one can be written: " + NO_HOME + "\n"
    )
    done = seqbench("doctor", preexec=no_file_may_be_written)
    assert done.returncode == 1
    assert NO_HOME in done.stdout
    assert done.stderr == "1 to fix.\n"


CRASH = """
import sys
from tui.cli.models.listed import models
from tui.cli.main import main

class SilentError(Exception):
    def __str__(self):
        raise ValueError

def fail(*arguments, **named):
    raise {"silent": SilentError(), "spoken": ZeroDivisionError("x")}[error]

error = sys.argv.pop()
models.callback = fail
main()
"""


@pytest.mark.parametrize("error", [pytest.param("silent", marks=pytest.mark.slow), "spoken"])
def test_whoever_reports_an_error_raises_none(tmp_path: Path, error: str) -> None:
    said = {"silent": "SilentError", "spoken": "ZeroDivisionError: x"}[error]
    beginning = f"seqbench: unexpected: {said}; please report it; "
    command = (sys.executable, "-c", CRASH, "models", error)
    done = bare(*command, preexec=no_file_may_be_written)
    assert done.returncode == 1
    assert done.stderr == f"{beginning}no file could be written\n"
    done = bare(*command)
    assert done.stderr.startswith(f"{beginning}details are in {tmp_path}/seqbench-{ANOTHER}/log/")
    done = bare(*command, preexec=lambda: os.close(2))
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.slow
def test_a_run_is_trained_and_reported(tmp_path: Path) -> None:
    surroundings = {"OMP_WAIT_POLICY": "passive"}
    settings = ("--set", "epochs=1", "--set", "dim=8")
    words = ("run", "--model", "sasrec", "--dataset", "synthetic", "--wait", *settings)
    done = seqbench(*words, environment=surroundings)
    assert done.returncode == 0, done.stderr
    done = seqbench("report", "-o", "report.html", environment=surroundings)
    assert (done.returncode, done.stderr) == (0, "Written to report.html.\n")
    assert Path("report.html").stat().st_size > 10_000


@pytest.mark.parametrize("words", [["ls"], ["compare"], ["data", "ls"], ["suite", "ls"], ["keys"]])
def test_a_working_folder_that_is_gone(tmp_path: Path, words: list[str]) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    done = seqbench(*words, environment={"TMPDIR": str(tmp_path)})
    os.chdir(tmp_path)
    assert done.returncode == 2
    assert done.stderr == "seqbench: The folder that you are in was deleted: cd to another one.\n"


def test_a_folder_that_can_only_be_read(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    try:
        for words in (
            ("run", "--model", "sasrec", "--dataset", "synthetic"),
            ("suite", "save", "mine", "--model", "sasrec", "--dataset", "synthetic"),
            ("compare", "-o", "table.csv", "--format", "csv"),
        ):
            done = seqbench(*words, environment={"HOME": NOWHERE})
            assert done.returncode == 1, words
            assert re.search("can't be (written|created)", done.stderr.splitlines()[-1])
        assert seqbench("models", environment={"HOME": NOWHERE}).returncode == 0
    finally:
        tmp_path.chmod(0o755)


@pytest.mark.parametrize("closed", ["", " 2>&-"], ids=["stderr", "no stderr"])
def test_the_app_needs_neither_name_nor_home_nor_kind_of_terminal(
    tmp_path: Path, closed: str
) -> None:
    bare_app = (
        *("sh", "-c", f'exec "$@"{closed}', "sh", "env", "-i", f"PYTHONPATH={ROOT}"),
        *(f"TMPDIR={tmp_path}", *APP, str(tmp_path / "runs.db")),
    )
    terminal = Terminal(as_another_user(*bare_app))
    try:
        terminal.shows("1 to launch", "training time", "Quit")
        terminal.type("q")
        assert terminal.read_to_end() == 0
        terminal.assert_put_right()
    finally:
        terminal.end()
