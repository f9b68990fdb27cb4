"""The app on a real terminal: it ends when it shall, and leaves the terminal as it was found."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from measured_runs import MeasuredStore
from terminals import APP, DEADLINE, Terminal

from engine.store.connect import connect_reader
from engine.store.database import fetch
from engine.store.intake.trash import undo_deletion

BASH = shutil.which("bash")

pytestmark = pytest.mark.usefixtures("quick_line")


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal([*APP, tmp_path / "runs.db"])
    yield terminal
    terminal.end()


def ready(terminal: Terminal) -> None:
    terminal.shows("1 to launch", "training time", "Quit")


def test_q_ends_cleanly(terminal: Terminal) -> None:
    ready(terminal)
    assert terminal.attributes() != terminal.found
    assert terminal.picture.left_on()
    terminal.type("q")
    assert terminal.read_to_end() == 0
    terminal.assert_put_right()


@pytest.mark.parametrize(
    ("broken", "typed"),
    [
        ("import tui.app; tui.app.SeqbenchApp._start_threads = lambda app: 1 / 0; ", ""),
        ("import tui.shell.terminal.driver as it; it.handled = lambda app, key: 1 / 0; ", "x"),
    ],
    ids=["start", "key"],
)
def test_what_nobody_foresaw_is_said_in_a_sentence(tmp_path: Path, broken: str, typed: str) -> None:
    command = [sys.executable, "-c", f"{broken}from tui.cli.main import main; main()"]
    terminal = Terminal(
        [*command, "--db", tmp_path / "runs.db"], {"XDG_STATE_HOME": str(tmp_path)}, size=(200, 24)
    )
    try:
        if typed:
            ready(terminal)
            terminal.type(typed)
        assert terminal.read_to_end() == 1
        terminal.assert_put_right()
        assert b"unexpected: ZeroDivisionError: division by zero" in terminal.output
        (details,) = tmp_path.rglob("error-*.txt")
        assert "Traceback" in details.read_text()
    finally:
        terminal.end()


@pytest.mark.parametrize(
    "name",
    [
        "SIGINT",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("SIGQUIT", "SIGTERM", "SIGHUP")),
    ],
)
def test_a_signal_puts_the_terminal_right(terminal: Terminal, name: str) -> None:
    number = getattr(signal, name)
    ready(terminal)
    terminal.process.send_signal(number)
    assert terminal.read_to_end() == -number
    terminal.assert_put_right()


def test_a_terminal_that_vanishes_ends_the_app(terminal: Terminal) -> None:
    ready(terminal)
    terminal.hang_up()
    assert terminal.process.wait(DEADLINE) == -signal.SIGHUP


def test_a_terminal_that_vanishes_unsaid_ends_the_app(tmp_path: Path) -> None:
    """The kernel tells only those who have it as their own; `script` and `su` may be between."""
    terminal = Terminal(["setsid", "--wait", *APP, tmp_path / "runs.db"])
    try:
        ready(terminal)
        (app,) = children(terminal.process.pid)
        terminal.hang_up()
        end = time.monotonic() + DEADLINE
        while Path(f"/proc/{app}").exists():
            assert time.monotonic() < end, "it went on without a terminal"
            time.sleep(0.02)
    finally:
        terminal.end()


@pytest.mark.parametrize(
    "vanishes",
    [
        pytest.param(True, id="vanishes"),
        pytest.param(False, id="SIGHUP", marks=pytest.mark.slow),
    ],
)
def test_what_a_lost_terminal_deleted_comes_back(tmp_path: Path, vanishes: bool) -> None:
    store = MeasuredStore(tmp_path)
    run = store.add()
    terminal = Terminal([*APP, store.location.db])
    try:
        ready(terminal)
        terminal.type("3")
        terminal.shows("ours, test, chosen epoch")
        terminal.type("d")
        terminal.shows("u brings it back")
        if vanishes:
            terminal.hang_up()
        else:
            terminal.process.send_signal(signal.SIGHUP)
        assert terminal.process.wait(DEADLINE) == -signal.SIGHUP
    finally:
        terminal.end()
    assert undo_deletion(store.location).runs == (run,)
    with closing(connect_reader(store.location)) as con:
        assert [tuple(row) for row in fetch(con, "SELECT id, state FROM runs")] == [(run, "done")]
    assert store.location.folder(run).path.is_dir()


def children(pid: int) -> list[int]:
    return [int(x) for x in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_bytes_that_are_no_text_are_not_the_end(terminal: Terminal) -> None:
    ready(terminal)
    os.write(terminal.master, b"\xff\xfe\xc3(\x80")
    terminal.type("2")
    terminal.shows("Nothing has been launched yet")
    terminal.type("q")
    assert terminal.read_to_end() == 0
    terminal.assert_put_right()


# A terminal that no one reads


@pytest.mark.parametrize("name", ["SIGTERM", pytest.param("SIGHUP", marks=pytest.mark.slow)])
def test_a_terminal_that_is_not_read_does_not_keep_the_app(terminal: Terminal, name: str) -> None:
    number = getattr(signal, name)
    ready(terminal)
    terminal.stall()
    terminal.process.send_signal(number)
    assert terminal.process.wait(DEADLINE) == -number  # while nothing is read
    assert terminal.read_to_end() == -number
    terminal.assert_put_right()


def test_a_terminal_that_is_read_again_shows_the_newest(terminal: Terminal) -> None:
    ready(terminal)
    terminal.stall()
    terminal.resize(80, 24)
    terminal.type("2")
    terminal.shows("Nothing has been launched yet")
    terminal.type("q")
    assert terminal.read_to_end() == 0
    terminal.assert_put_right()


# A job of a shell


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Terminal]:
    if BASH is None:
        pytest.skip("there is no bash, whose job the app could be")
    shell = Terminal(
        [BASH, "--norc", "--noprofile", "--noediting", "-i"],
        {"PS1": "shell> ", "HISTFILE": "/dev/null"},
    )
    shell.shows("shell>")
    yield shell
    shell.type("\x03\nkill -KILL %1\nexit\n")
    shell.end()


def start_app(shell: Terminal, tmp_path: Path) -> None:
    # In a shell of its own, as `make run` has one: the job is more than the app.
    command = " ".join(str(word) for word in (*APP, tmp_path / "runs.db"))
    shell.type(f"sh -c '{command}; exit $?'\n")
    ready(shell)


def test_it_stops_and_goes_on_as_a_job(shell: Terminal, tmp_path: Path) -> None:
    start_app(shell, tmp_path)
    before = shell.still()
    for _ in range(2):
        shell.type("\x1a")
        shell.shows("Stopped")
        assert shell.picture.left_on() == []
        assert shell.attributes() == shell.found
        shell.type("clear; fg\n")
        shell.read_until(lambda: shell.shown() == before, "waited for the same picture")
        assert shell.picture.left_on()
    shell.type("q")
    # What is typed before the shell asks may be thrown away with the app's terminal.
    shell.read_until(lambda: shell.picture.text.rstrip().endswith("shell>"), "waited for the end")
    assert shell.picture.left_on() == []
    shell.type("echo status $?\n")
    shell.shows("status 0")


def test_brought_on_in_the_background_it_waits(shell: Terminal, tmp_path: Path) -> None:
    start_app(shell, tmp_path)
    before = shell.still()
    shell.type("\x1a")
    shell.shows("Stopped")
    shell.type("clear; bg; wait; jobs; echo still mine\n")
    shell.shows("still mine", "Stopped")
    assert shell.picture.left_on() == []
    shell.type("fg\n")
    shell.read_until(lambda: shell.shown() == before, "waited for the same picture")


def test_stopped_unasked_it_enters_again(terminal: Terminal) -> None:
    ready(terminal)
    before = terminal.still()
    for number in (signal.SIGSTOP, signal.SIGCONT):
        terminal.process.send_signal(number)
    left, entered = b"\x1b[?1049l", b"\x1b[?1049h"
    terminal.read_until(lambda: terminal.output.count(entered) == 2, "waited for another entry")
    assert terminal.output.count(left) == 1
    terminal.read_until(lambda: terminal.shown() == before, "waited for the same picture")
    terminal.type("q")
    assert terminal.read_to_end() == 0
    terminal.assert_put_right()


def test_it_is_not_stopped_where_no_shell_could_wake_it(terminal: Terminal) -> None:
    """As with ``ssh -t host seqbench``."""
    ready(terminal)
    before = terminal.still()
    terminal.type("\x1a")
    terminal.read_until(lambda: terminal.output.count(b"\x1b[?1049h") == 2, "waited for it")
    terminal.read_until(lambda: terminal.shown() == before, "waited for the same picture")
    terminal.type("q")
    assert terminal.read_to_end() == 0
    terminal.assert_put_right()
