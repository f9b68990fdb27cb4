"""What is typed after a key that opens a dialog is meant for that dialog, however fast it comes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from bursts import ENTER, HOME, click
from live_runs import LiveStore
from terminals import APP, Terminal

from engine.analysis.views import load_views
from engine.store.connect import connect_reader


@pytest.fixture
def terminal(busy_store: LiveStore, quick_line: None, tmp_path: Path) -> Iterator[Terminal]:
    folder = tmp_path / "configuration"
    folder.mkdir()
    command = [*APP, busy_store.location.db, "--config-dir", folder]
    terminal = Terminal(command, size=(120, 36))
    yield terminal
    terminal.end()


def test_dialogs_that_read_first_take_what_was_typed(
    terminal: Terminal, busy_store: LiveStore, tmp_path: Path
) -> None:
    terminal.shows("Queue ·")
    terminal.type(f"3Smine{ENTER}")
    terminal.shows("Saved", "d Delete")
    assert list(load_views(tmp_path / "configuration")) == ["mine"]
    terminal.type("V")
    terminal.shows("Load a view", "one row per run")
    lines = terminal.picture.text.splitlines()
    (y,) = (row for row, line in enumerate(lines) if "│  mine" in line)
    terminal.type(2 * click(lines[y].index("mine"), y))
    terminal.shows("d Delete", "/ Filter")
    terminal.type(f"{HOME}nslow disk{ENTER}#paper{ENTER}")
    with closing(connect_reader(busy_store.location)) as store:
        found = "SELECT count(*) FROM runs WHERE note = 'slow disk' AND tags LIKE '%paper%'"
        terminal.read_until(lambda: store.execute(found).fetchone()[0], "a note and a tag")
        terminal.type("q")
        terminal.shows("Leave")
        assert store.execute("SELECT count(*) FROM requests").fetchone()[0] == 0
