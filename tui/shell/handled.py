"""When the app is done with what it was given."""

from __future__ import annotations

import asyncio
from typing import Any

from textual.app import App
from textual.message_pump import MessagePump


async def handled(app: App[Any]) -> None:
    """Wait until a message that the app was given, and what came of it, is dealt with.

    A key goes from the widget with the focus up to the app, and what it does there may give the
    focus to another, or open a screen, which is why the way is gone twice.
    """
    for _ in range(2):
        await _handled_by(app)
        for node in (app.focused or app.screen).ancestors_with_self:
            await _handled_by(node)


async def _handled_by(node: MessagePump) -> None:
    """Wait until a widget has handled all that waits for it now; not for one that is closing."""
    done = asyncio.Event()
    if node.call_later(done.set):
        await done.wait()
