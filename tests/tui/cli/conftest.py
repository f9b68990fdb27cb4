"""Commands run in this process, over stores whose queue is held."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from held import worked_on

from engine.store.location import StoreLocation
from tui.cli.main import seqbench

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def held_queue() -> None:
    """Hold no queue unless a test asks for `held`: some commands wait for real runs."""


@pytest.fixture
def held(tmp_path: Path) -> Iterator[StoreLocation]:
    """The store of `empty_store` and `busy_store`, with its queue held."""
    location = StoreLocation(tmp_path / "runs.db")
    with worked_on(location):
        yield location


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command on the store in ``tmp_path``."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEQBENCH_DB", str(tmp_path / "runs.db"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    def run(*arguments: str) -> Result:
        result = CliRunner().invoke(seqbench, arguments, prog_name="seqbench")
        assert "Traceback" not in result.output
        return result

    return run


@pytest.fixture
def cli_json(cli: Run) -> Callable[..., Any]:
    """Run a command that succeeds, and parse its stdout."""

    def run(*arguments: str) -> Any:
        result = cli(*arguments)
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    return run


@pytest.fixture
def no_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without any data set."""
    monkeypatch.delenv("SEQBENCH_DATA", raising=False)
