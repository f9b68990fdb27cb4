"""When an app under test has nothing more to do, however slow the machine is."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from textual._context import active_app
from textual.app import ScreenStackError
from textual.pilot import Pilot
from textual.screen import Screen

FRAME_SECONDS = 0.1
"""Between two pictures that nothing but time asks for; at rest an app draws at once."""

MOST_PICTURES = 20
"""Drawn one after the other before an app counts as one that draws for ever."""


async def at_rest(*_: float) -> None:
    """Let the app work until only time, a thread or its user can give it more to do.

    Textual's own `wait_for_idle` (8.2) looks at the processor time of 20 ms instead, and takes an
    app that a loaded machine keeps waiting for one that has nothing to do.
    """
    loop = asyncio.get_running_loop()
    for _picture in range(MOST_PICTURES):
        await asyncio.sleep(0)
        while loop._ready:  # type: ignore[attr-defined]
            await asyncio.sleep(0)
        try:
            screen = active_app.get().screen
        except ScreenStackError:
            return
        if not _undrawn(screen):
            return
        screen._on_timer_update()


def _undrawn(screen: Screen[Any]) -> bool:
    """Whether the screen waits for its next picture."""
    return bool(
        screen._dirty_widgets
        or screen._callbacks
        or screen._layout_required
        or screen._scroll_required
        or screen._repaint_required
        or screen._recompose_required
    )


async def _wait_for_screen(pilot: Pilot[Any], timeout: float = 0) -> bool:
    await at_rest()
    return pilot.app._exception is None


def let_pilots_wait_for_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every pilot wait by `at_rest` after a key, a click or a pause."""
    monkeypatch.setattr("textual.screen.UPDATE_PERIOD", FRAME_SECONDS)
    monkeypatch.setattr("textual.app.wait_for_idle", at_rest)
    monkeypatch.setattr("textual.pilot.wait_for_idle", at_rest)
    monkeypatch.setattr(Pilot, "_wait_for_screen", _wait_for_screen)
