"""What is kept from one day to the next, whatever becomes of the file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tui.shell.remembered import keep, recall


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state" / "seqbench"


def test_what_is_kept_is_there_the_next_time(state: Path) -> None:
    assert recall("columns") == {}
    keep("columns", {"shown": ["é", 1]})
    assert recall("columns") == {"shown": ["é", 1]}
    assert recall("theme") == {}
    keep("columns", {})
    assert recall("columns") == {}
    assert (state.stat().st_mode & 0o777, (state / "columns.json").stat().st_mode & 0o777) == (
        0o700,
        0o600,
    )


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff", b"[" * 100_000, b"1" * 5_000])
def test_a_damaged_file_counts_as_none(state: Path, content: bytes) -> None:
    keep("columns", {"a": 1})
    (state / "columns.json").write_bytes(content)
    assert recall("columns") == {}
    keep("columns", {"a": 2})
    assert recall("columns") == {"a": 2}


def test_where_nothing_can_be_written_the_app_goes_on(state: Path) -> None:
    state.parent.mkdir()
    state.write_text("a file where the folder should be")
    keep("columns", {"a": 1})
    assert recall("columns") == {}


def test_a_pipe_is_not_waited_for(state: Path) -> None:
    state.mkdir(parents=True)
    os.mkfifo(state / "columns.json")
    assert recall("columns") == {}


def test_a_topic_is_a_file_in_the_folder_and_no_path() -> None:
    with pytest.raises(ValueError, match="can't be a file's name"):
        recall("../columns")
