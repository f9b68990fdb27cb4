"""Every failure is one sentence on stderr and an exit status; start-up is light."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import Result
from terminals import DEADLINE

from engine import __version__
from engine.errors import StoreError, UsageError
from tui.cli import main as cli_module

Run = Callable[..., Result]

HEAVY = "('torch', 'numpy', 'pandas', 'pydantic', 'sqlite_utils', 'textual')"


def process(
    *arguments: str, cwd: Path, script: str | None = None
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *(["-c", script] if script else ["-m", "tui.cli"]), *arguments]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    return subprocess.run(
        command,
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["ls"], ["ls", "--json"]])
def test_small_commands_import_nothing_heavy(tmp_path: Path, arguments: list[str]) -> None:
    script = f"""
import sys
from tui.cli.main import seqbench
try:
    seqbench({arguments!r}, prog_name="seqbench")
except SystemExit as end:
    print([name for name in {HEAVY} if name in sys.modules], end.code, file=sys.stderr)
"""
    result = process(cwd=tmp_path, script=script)
    assert result.stderr.splitlines()[-1] == "[] 0"
    assert list(tmp_path.iterdir()) == [], "looking changes nothing"


def test_a_listing_of_runs_imports_nothing_heavy(
    busy_store: object, held: object, cli: Run
) -> None:
    script = f"""
import sys
from tui.cli.main import seqbench
try:
    seqbench(["ls"], prog_name="seqbench")
except SystemExit as end:
    print([name for name in {HEAVY} if name in sys.modules], end.code, file=sys.stderr)
"""
    result = process(cwd=Path.cwd(), script=script)
    assert result.stderr.splitlines()[-1] == "[] 0"
    assert len(result.stdout.splitlines()) == 8


def test_the_module_runs_as_a_process_with_its_status(tmp_path: Path) -> None:
    result = process("show", "x", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.count("\n") == 1
    assert "`seqbench run` makes one" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--vers"], "No such option '--vers'. Did you mean '--version'?"),
        (["ls", "--jsn"], "No such option '--jsn'. (Did you mean one of: '--json', '--since'?)"),
        (["data", "ls", "--jsn"], "Did you mean '--json'?"),
        (["run", "--modell", "x"], "Did you mean one of: '--model', '--model-path'?"),
        (["compar"], "No such command 'compar'. Did you mean 'compare'?"),
        (["db", "rebild"], "No such command 'rebild'. Did you mean 'rebuild'?"),
        (["show"], "Missing argument 'RUN'."),
        (["ls", "--limit", "0"], "0 is not in the range"),
        (["ls", "--limit", "x"], "'x' is not a valid integer range"),
        (["ls", "--state", "runing"], "There is no state 'runing': did you mean 'running'?"),
        (["compare", "--format", "jsn"], "There is no format 'jsn': did you mean 'json'?"),
        (["compare", "--aggregate", "maximum"], "There is no aggregate 'maximum'"),
        (["compare", "--sort", "NDGC"], "There is no column 'NDGC': did you mean 'ndcg'?"),
        (["--config-dir", "/nowhere", "models"], "/nowhere is not a folder"),
        (["models", "--config-dir", "/nowhere"], "/nowhere is not a folder"),
        (["--db", "/", "ls"], "/ is a folder"),
        ([], "The app needs a terminal"),
    ],
)
def test_wrong_usage_is_one_sentence_and_status_2(
    cli: Run, arguments: list[str], sentence: str
) -> None:
    result = cli(*arguments)
    assert sentence in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""
    assert result.exit_code == 2


def test_a_group_alone_shows_its_help(cli: Run) -> None:
    result = cli("data")
    assert result.exit_code == 2
    assert "fetch" in result.stderr


def test_version_and_help(cli: Run) -> None:
    assert cli("--version").stdout == f"seqbench {__version__}\n"
    help_text = cli("--help").stdout
    assert [name for name in cli_module.COMMANDS if f"\n  {name} " not in help_text] == []
    assert "..." not in help_text.partition("Commands:")[2], "a summary is cut"


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (StoreError("The store is gone."), 1, "seqbench: The store is gone.\n"),
        (UsageError("no such name."), 2, "seqbench: No such name.\n"),
        (StoreError("\x1b[2Jone\ntwo\x07"), 1, "seqbench: one two\n"),
        (KeyboardInterrupt(), 130, "\n"),
        (EOFError(), 130, "\n"),
    ],
)
def test_each_failure_has_its_status(
    cli: Run, monkeypatch: pytest.MonkeyPatch, error: BaseException, status: int, sentence: str
) -> None:
    _make_fail(monkeypatch, error)
    result = cli("models")
    assert (result.exit_code, result.stderr) == (status, sentence)


def test_the_unforeseen_is_a_sentence_and_a_file(
    cli: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _make_fail(monkeypatch, ZeroDivisionError("a\x1b[31m\nb"))
    result = cli("models")
    assert result.exit_code == 1
    assert result.stderr.startswith("seqbench: unexpected: ZeroDivisionError: a; please report it")
    assert result.stderr.count("\n") == 1
    (file,) = (tmp_path / "state").rglob("error-*.txt")
    assert str(file) in result.stderr
    assert "Traceback" in file.read_text()
    assert __version__ in file.read_text()


def _make_fail(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    from tui.cli.models.listed import models

    def fail(*arguments: object, **named: object) -> None:
        raise error

    monkeypatch.setattr(models, "callback", fail)


def test_a_reader_that_goes_away_is_no_failure_to_speak_of(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tui.cli", "models", "--json"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    reader, writer = os.pipe()
    os.close(reader)  # before the command says its first word
    child = subprocess.run(
        command,
        cwd=tmp_path,
        env=environment,
        stdout=writer,
        stderr=subprocess.PIPE,
        timeout=DEADLINE,
        check=False,
    )
    os.close(writer)
    assert (child.returncode, child.stderr) == (1, b"")


def test_a_dumb_terminal_gets_a_sentence(tmp_path: Path) -> None:
    master, slave = pty.openpty()
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3]), "TERM": "dumb"}
    child = subprocess.run(
        [sys.executable, "-m", "tui.cli"],
        cwd=tmp_path,
        env=environment,
        stdin=slave,
        stdout=slave,
        stderr=subprocess.PIPE,
        timeout=DEADLINE,
        check=False,
    )
    os.close(slave)
    os.close(master)
    assert child.returncode == 2
    assert b"needs a terminal" in child.stderr


def test_global_options_stand_before_or_behind(cli: Run, tmp_path: Path) -> None:
    elsewhere = str(tmp_path / "else/where.db")
    for arguments in (["--db", elsewhere, "db", "path"], ["db", "path", "--db", elsewhere]):
        assert cli(*arguments).stdout == f"{elsewhere}\n"
    assert cli("db", "path").stdout == f"{tmp_path / 'runs.db'}\n"


def test_every_command_is_loaded_from_where_it_is_said_to_be() -> None:
    context = click.Context(cli_module.seqbench)
    for name in cli_module.COMMANDS:
        command = cli_module.seqbench.get_command(context, name)
        assert command is not None
        assert command.name == name
