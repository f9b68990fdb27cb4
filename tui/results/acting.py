"""Acting in a thread: what is begun is carried out, even if its screen is left meanwhile.

Reading is another thing (`tui.shell.reading`): there the newest wish replaces those before.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from engine.errors import UserError
from tui.lab import Lab

T = TypeVar("T")


def carry_out(
    app: Lab, act: Callable[[], T], done: Callable[[T], object], fail: Callable[[str], object]
) -> None:
    """Act in a thread; then ``done`` takes the result, or ``fail`` a sentence, in the app's thread.

    Args:
        act: may raise `UserError` or `sqlite3.Error`; anything else ends the app.
    """

    def in_thread() -> None:
        try:
            result = act()
        except (UserError, sqlite3.Error) as error:
            app.call_later(partial(fail, str(error)))
        else:
            app.call_later(partial(done, result))

    app.run_worker(in_thread, group="act", thread=True)


def ask_store(app: Lab, ask: Callable[[], object]) -> None:
    """Write a wish into the store, and see to it that the queue is worked on."""
    fail = partial(app.notify, severity="error")
    carry_out(app, ask, lambda _: app.look_after_queue(), fail)
