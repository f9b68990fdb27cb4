"""Driving an app in a test: wait for what must happen, never for time to pass."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from rest import at_rest
from textual._context import visible_screen_stack
from textual.app import App
from textual.pilot import Pilot
from textual.strip import Strip

from tui.app import SeqbenchApp

DEADLINE = 90.0
"""Seconds; what takes longer hangs, whatever else the machine has to do."""


async def wait_for(
    pilot: Pilot[Any], condition: Callable[[], object], what: str, seconds: float = DEADLINE
) -> None:
    """Let the app work until ``condition()`` is true, and then until it is at rest."""
    end = time.monotonic() + seconds
    while not condition():
        assert pilot.app._exception is None, f"the app failed before: {what}"
        assert time.monotonic() < end, f"never happened: {what}"
        await asyncio.sleep(0.01)
    await at_rest()


async def settled(pilot: Pilot[Any]) -> None:
    """Wait until configuration and device are known and no thread of a screen works."""
    app = pilot.app
    assert isinstance(app, SeqbenchApp)
    await wait_for(
        pilot, lambda: (app.catalogue or app.catalogue_problem) and app.device, "start-up"
    )

    def at_work() -> bool:
        return any(worker.group != "store" and not worker.is_finished for worker in app.workers)

    while True:
        await wait_for(pilot, lambda: app.snapshot.version and not at_work(), "threads at rest")
        await pilot.pause()
        if not at_work():  # what a thread found may be what the next one reads about
            return


def painted(app: App[Any]) -> list[Strip]:
    """The lines of the screen. Behind a dialog Textual would else draw nothing, and keep that for
    the next picture, if the dialog hasn't been painted since it last changed."""
    visible_screen_stack.set(app._background_screens)
    return app.screen._compositor.render_strips()


def screen_text(app: App[Any]) -> str:
    """What stands on the screen, line by line."""
    return "\n".join(strip.text for strip in painted(app))
