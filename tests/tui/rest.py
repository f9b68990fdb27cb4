"""When an app under test has nothing more to do, however slow the machine is."""

from __future__ import annotations

import asyncio
from typing import Any
from weakref import WeakSet

import pytest
from textual._context import active_app
from textual.app import App, ScreenStackError
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input, TextArea

MOST_PICTURES = 20
"""Drawn one after the other before an app counts as one that draws for ever."""

_unpainted: WeakSet[Screen[Any]] = WeakSet()
_paint = Screen._compositor_refresh


async def at_rest(*_: float) -> None:
    """Let the app work until only time, a thread or its user can give it more to do; paint it.

    Textual's own `wait_for_idle` (8.2) looks at the processor time of 20 ms instead, and takes an
    app that a loaded machine keeps waiting for one that has nothing to do.
    """
    loop = asyncio.get_running_loop()
    app = active_app.get()
    for _picture in range(MOST_PICTURES):
        await asyncio.sleep(0)
        while loop._ready:  # type: ignore[attr-defined]
            await asyncio.sleep(0)
        try:
            screen, *beneath = app.screen, *app._background_screens
        except ScreenStackError:
            return
        if app._resize_timer is not None:  # a terminal's new size is taken up a moment later
            await asyncio.sleep(0.01)
        elif waiting := [shown for shown in beneath if _unfinished(shown)]:
            for shown in waiting:
                shown._on_timer_update()
        elif _unfinished(screen) or screen._repaint_required:
            screen._on_timer_update()
        elif screen in _unpainted:
            _unpainted.clear()
            _paint(screen)
        else:
            return


def _unfinished(screen: Screen[Any]) -> bool:
    """Whether the screen waits for its next frame; that it is to be painted as a whole tells this
    only of the top one, since a screen beneath a dialog always is."""
    return bool(
        screen._dirty_widgets
        or screen._callbacks
        or screen._layout_required
        or screen._scroll_required
        or screen._recompose_required
    )


def _paint_later(screen: Screen[Any]) -> None:
    """Leave a frame's cells to the next one that is painted, as a slow terminal would."""
    if screen is screen.app.screen and not screen.app.is_inline:
        screen._dirty_widgets.clear()
        _unpainted.add(screen)
        screen.app._update_mouse_over(screen)
    else:
        _paint(screen)


async def _wait_for_screen(pilot: Pilot[Any], timeout: float = 0) -> bool:
    await at_rest()
    return pilot.app._exception is None


def let_pilots_wait_for_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every pilot wait by `at_rest` after a key, a click or a pause, and only then paint."""
    monkeypatch.setattr("textual.app.wait_for_idle", at_rest)
    monkeypatch.setattr("textual.pilot.wait_for_idle", at_rest)
    monkeypatch.setattr(Pilot, "_wait_for_screen", _wait_for_screen)
    monkeypatch.setattr(Screen, "_compositor_refresh", _paint_later)
    # A new mode is drawn 50 ms late, against flicker: nothing would tell that it isn't drawn yet.
    monkeypatch.setattr(App, "delay_update", lambda app, delay=0.05: None)
    # A cursor that blinks is hidden on every picture that took longer than half a second.
    monkeypatch.setattr(Input, "_toggle_cursor", lambda field: None)
    monkeypatch.setattr(TextArea, "_toggle_cursor_blink_visible", lambda area: None)
