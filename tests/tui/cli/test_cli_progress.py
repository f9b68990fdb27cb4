"""Progress of commands: on a terminal alone, for what takes long alone, and gone at the end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from terminals import Terminal

PROGRAM = """
from tui.cli.progress import progress
with progress("Importing runs", soon={soon}) as told:
    told(3, 10)
    with progress("Inner", soon=0.0) as untold:
        untold(1, 2)
    {wait}
print("end")
"""


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """A pipe, whose reader waits until it is written."""
    path = tmp_path / "gate"
    os.mkfifo(path)
    return path


def test_what_is_done_is_counted_and_taken_away(gate: Path) -> None:
    wait = f"open({str(gate)!r}).read()"
    terminal = Terminal([sys.executable, "-c", PROGRAM.format(soon=0.0, wait=wait)])
    terminal.shows("Importing runs", "3/10")
    gate.write_text("")
    assert terminal.read_to_end() == 0
    assert terminal.output.endswith(b"\r\x1b[1A\x1b[2Kend\r\n")  # a row up, and that row erased
    assert "Inner" not in terminal.output.decode()
    terminal.assert_put_right()


def test_what_is_quick_shows_nothing() -> None:
    terminal = Terminal([sys.executable, "-c", PROGRAM.format(soon=60.0, wait="pass")])
    assert terminal.read_to_end() == 0
    assert terminal.output == b"end\r\n"


def test_nothing_gets_into_a_pipe() -> None:
    program = [sys.executable, "-c", PROGRAM.format(soon=0.0, wait="pass")]
    done = subprocess.run(program, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("end\n", "")
