"""`watch --live`: the queue on a few lines."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import Result
from live_runs import LiveStore
from rich.console import Console
from terminals import Terminal

from engine.store.connect import connect_reader
from engine.store.location import StoreLocation
from engine.store.queries import list_runs
from tui.cli.runs.watching import NEWS, QueueView

Run = Callable[..., Result]


def drawn(store: LiveStore, width: int, height: int, ascii_only: bool = False) -> list[str]:
    file = io.StringIO()
    console = Console(file=file, width=width, height=height)
    view = QueueView(console, ascii_only)
    with closing(connect_reader(store.location)) as connection:
        view.runs = list_runs(connection)
    view.news.extend(f"12:00:0{second}  a run of long name … done" for second in range(9))
    console.print(view.render())
    return file.getvalue().splitlines()


@pytest.mark.parametrize("width", [80, 120])
def test_runs_that_go_on_come_first_and_fit(busy_store: LiveStore, width: int) -> None:
    lines = drawn(busy_store, width, 24)
    counts = "◐ 1 running  ○ 2 queued  ● 2 done  ✗ 1 failed  ⊘ 1 cancelled"
    assert lines[0].strip() == counts
    assert lines[1].startswith("◐  bert4rec-synthetic-l75")
    assert "■■··········" in lines[1]
    assert "9/60" in lines[1]
    assert [line[0] for line in lines[2:4]] == ["○", "○"]
    assert all(len(line) <= width for line in lines)
    assert lines[-1].startswith("12:00:08")
    assert sum(line.startswith("12:00") for line in lines) == NEWS


def test_more_runs_than_lines_are_counted(busy_store: LiveStore) -> None:
    lines = drawn(busy_store, 80, 12)
    assert len(lines) <= 12
    assert "  … and 4 more" in lines


def test_in_ascii_too(busy_store: LiveStore) -> None:
    lines = drawn(busy_store, 80, 24, ascii_only=True)
    assert "\n".join(lines).isascii()
    assert "##.........." in lines[1]


def test_without_a_terminal_it_says_what_does(held: StoreLocation, cli: Run) -> None:
    result = cli("watch", "--live")
    assert result.exit_code == 2
    assert "--live needs a terminal: without it every event is a line." in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.fixture
def watching(held: StoreLocation, busy_store: LiveStore) -> Iterator[Terminal]:
    command = [sys.executable, "-m", "tui.cli", "--db", str(held.db), "watch", "--live"]
    terminal = Terminal(command)
    yield terminal
    terminal.end()


def test_on_a_terminal_it_goes_on_until_the_queue_is_empty(
    watching: Terminal, busy_store: LiveStore, held: StoreLocation, tmp_path: Path
) -> None:
    watching.shows("1 running", "2 queued", "bert4rec-synthetic-l75")
    with closing(connect_reader(held)) as connection:
        going_on = [run.id for run in list_runs(connection, ("queued", "running"))]
    for run in going_on:
        busy_store.train(run, 1, end="done")
    assert watching.read_to_end() == 0
    assert "3 done" in watching.picture.text
    assert "The queue is empty." in watching.picture.text
    watching.assert_put_right()
