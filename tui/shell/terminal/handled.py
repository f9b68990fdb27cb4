"""When the app is done with what it was given."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from textual.app import App
from textual.errors import NoWidget
from textual.events import Key, MouseUp, Paste
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.widget import Widget

from tui.shell.private import is_stopped

LOOK_SECONDS = 0.005
"""Seconds between two looks at whether what was asked for is there."""


async def handled(app: App[Any], act: Key | Paste | MouseUp) -> None:
    """Wait until a key or click that the app was given, and what came of it, is dealt with.

    A key goes from the widget with the focus up to the app, a click from the one under the mouse.
    What it does there may give the focus to another, or open a screen, which is why the way is gone
    twice. A character that a field has taken goes no further, and the next one may follow. What is
    read or written before there is another screen (``keys_wait``) is waited for, too.
    """
    screen, field = app.screen, app.focused
    clicked = _under(screen, act) if isinstance(act, MouseUp) else None
    await _handled_by(app)
    if field is not None and isinstance(act, Key) and _takes(field, act):
        await _handled_by(field)
        if is_stopped(act) and app.screen is screen and app.focused is field:
            return
    for _ in range(2):
        for node in clicked.ancestors_with_self if clicked is not None else ():
            await _handled_by(node)
    while True:
        for _ in range(2):
            for node in (app.focused or app.screen).ancestors_with_self:
                await _handled_by(node)
        if not keys_wait(app):
            return
        while keys_wait(app):
            await asyncio.sleep(LOOK_SECONDS)


def keys_wait(app: App[Any]) -> bool:
    """Whether what a key leads to is still being read or written, such as the contents of a dialog:
    the next key is meant for that."""
    return bool(getattr(app, "keys_wait", False))


def _under(screen: Screen[Any], act: MouseUp) -> Widget | None:
    with suppress(NoWidget):
        return screen.get_widget_at(act.x, act.y)[0]
    return None


def _takes(field: Widget, key: Key) -> bool:
    return field.check_consume_key(key.key, key.character)


async def _handled_by(node: MessagePump) -> None:
    """Wait until a widget has handled all that waits for it now; not for one that is closing."""
    done = asyncio.Event()
    if node.call_later(done.set):
        await done.wait()
