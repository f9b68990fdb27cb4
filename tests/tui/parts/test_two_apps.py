"""Two apps on one store: what one does, the other shows, and may undo."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from background import Background, processes, wait_for
from terminals import Terminal

TRAINING = "sasrec · synthetic · L20 · s1"


@pytest.fixture
def background(tmp_path: Path) -> Iterator[Background]:
    background = Background(tmp_path / "lab")
    yield background
    background.end()


@pytest.fixture
def apps(background: Background) -> Iterator[tuple[Terminal, Terminal]]:
    first, second = background.app((120, 36)), background.app((120, 36))
    yield first, second
    first.end()
    second.end()


def launch(app: Terminal, keys: str = "") -> None:
    """Launch what is missing, after choosing it with ``keys``."""
    app.type(keys)
    app.shows("1 to launch")
    app.type("\r")
    app.shows("Launch 1 run")
    app.type("\r")
    app.read_until(lambda: "Launch 1 run" not in app.picture.text, "waited for the launch")


def cancel(app: Terminal, run: str, down: int) -> None:
    """Cancel a run, so far below the first of the queue."""
    app.type("2")
    app.shows(f"╭─ {TRAINING} ")
    app.type("\x1b[B" * down)
    app.shows(f"╭─ {run} ")
    app.type("x")
    app.shows("╭─ Cancel ")
    app.type("\r")


@pytest.mark.slow
def test_both_see_and_both_cancel(background: Background, apps: tuple[Terminal, Terminal]) -> None:
    first, second = apps
    for app in apps:
        app.shows("no runs yet", "1 to launch")
    training = background.train()
    for app in apps:
        app.shows("◐ 1")

    launch(first)
    for app in apps:
        app.shows("◐ 1  ○ 1")
    launch(second, "\x1b[B ")
    for app in apps:
        app.shows("◐ 1  ○ 2")

    waiting = "sasrec · synthetic · L50 · s42"
    cancel(second, waiting, down=1)
    for app in apps:
        app.type("2")
        app.shows(f"⊘ cancelled {waiting}", "1 running · 1 queued")
    cancel(first, TRAINING, down=0)
    for app in apps:
        app.shows(f"⊘ cancelled {TRAINING}", "1 running")
    wait_for(lambda: background.run(training).state == "cancelled", "the store to say so too")
    supervisor = background.supervisor()
    assert processes(b"engine.supervisor", str(background.folder).encode()) == [supervisor]
