"""Driving an app in a test: wait for what must happen, never for time to pass."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from textual.app import App
from textual.pilot import Pilot

from tui.app import SeqbenchApp

DEADLINE = 20.0
"""Seconds; what takes longer hangs."""


async def wait_for(pilot: Pilot[Any], condition: Callable[[], object], what: str) -> None:
    """Let the app work until ``condition()`` is true."""
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, f"never happened: {what}"
        await pilot.pause(0.01)


async def settled(pilot: Pilot[Any]) -> None:
    """Wait until configuration and device are known and no thread of a screen works."""
    app = pilot.app
    assert isinstance(app, SeqbenchApp)
    await wait_for(
        pilot, lambda: (app.catalogue or app.catalogue_problem) and app.device, "start-up"
    )
    await wait_for(
        pilot,
        lambda: (
            app.snapshot.version
            and all(worker.group == "store" or worker.is_finished for worker in app.workers)
        ),
        "threads at rest",
    )
    await pilot.pause()


def screen_text(app: App[Any]) -> str:
    """What stands on the screen, line by line."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())
