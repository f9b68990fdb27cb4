"""Training behind a terminal: whatever becomes of app and supervisor, it goes on."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from background import Background, processes, wait_for
from terminals import DEADLINE

from engine.supervisor.start import supervisor_running


@pytest.fixture
def background(tmp_path: Path) -> Iterator[Background]:
    background = Background(tmp_path / "lab")
    yield background
    background.end()


@pytest.mark.slow
def test_training_waits_for_no_terminal(background: Background) -> None:
    """One run through all that may happen to a terminal, an app and a supervisor."""
    run = background.train()
    background.goes_on(run, 1)
    supervisor, worker = background.supervisor(), background.worker(run)

    # Not read
    app = background.app()
    try:
        app.type("2")
        app.shows("sasrec", "loss")
        app.stall()
        background.goes_on(run)
        app.process.send_signal(signal.SIGTERM)
        assert app.process.wait(DEADLINE) == -signal.SIGTERM
        app.read_to_end()
        app.assert_put_right()
    finally:
        app.end()
    background.goes_on(run)

    # A hang-up for the background itself, as from a log-out
    for pid in (supervisor, worker):
        os.kill(pid, signal.SIGHUP)
    background.goes_on(run)
    assert background.supervisor() == supervisor

    # The supervisor is told to end, and the app finds another
    os.kill(supervisor, signal.SIGTERM)
    wait_for(lambda: not supervisor_running(background.location), "the supervisor to end")
    app = background.app()
    try:
        app.shows("◐ 1")
        app.read_until(lambda: supervisor_running(background.location), "waited for another")
        background.goes_on(run)
    finally:
        app.end()
    assert background.supervisor() != supervisor
    assert processes(b"engine.worker", str(background.folder).encode()) == [worker]
    assert background.run(run).attempt == 1

    # The worker is told to end: a machine that is wanted back asks so
    os.kill(worker, signal.SIGTERM)
    wait_for(lambda: background.run(run).attempt == 2, "a second attempt")
    background.goes_on(run)
    assert (background.run(run).losses, background.run(run).state) == (0, "running")
