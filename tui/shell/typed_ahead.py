"""Keys that are typed before what they act on is there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from textual.actions import ActionParseResult
from textual.dom import DOMNode
from textual.screen import Screen

from tui.shell.reading import Reading


class TypedAhead:
    """Lets actions on what a screen reads, such as rows, wait until that is shown.

    Keys that arrive together, as over a slow connection, would else act on rows of an order that
    has been left, or on none.

    Args:
        actions: names of the screen's actions that wait.
        cursor: moves the cursor; its own actions wait for the first rows, and behind others, to
            keep their order.
        ready: whether nothing needs to wait; else it is when what was asked for last is shown.
    """

    def __init__(
        self,
        screen: Screen[Any],
        reading: Reading[Any],
        actions: frozenset[str],
        cursor: DOMNode | None = None,
        ready: Callable[[], bool] | None = None,
    ) -> None:
        self._screen = screen
        self._reading = reading
        self._actions = actions
        self._cursor = cursor
        self._ready = ready or (lambda: reading.settled)

    @property
    def awaited(self) -> bool:
        """Whether an action waits for what is being read."""
        return self._reading.awaited and self._reading.busy

    def keep(self, node: DOMNode, action: str, act: Callable[[], Awaitable[object]]) -> bool:
        """Return whether an action of a node waits; then it is carried out later, if the screen is
        still in sight then."""
        if node is self._screen:
            waits = action.partition("(")[0] in self._actions
        else:
            # Without rows it would stay where it is.
            waits = node is self._cursor and (self._reading.awaited or self._reading.begins)
        if not waits or (self._ready() and not self._reading.awaited):
            return False
        if self._reading.failed:
            return False  # it may be hours until there is what the key would act on

        async def act_in_sight() -> None:
            if self._screen.is_active:
                await act()

        self._reading.then(act_in_sight)
        return True


def waits(
    node: DOMNode | None,
    action: str | ActionParseResult,
    act: Callable[[], Awaitable[object]],
) -> bool:
    """Return whether an action of a node waits, by the `TypedAhead` of its screen, if it has one
    (``typed_ahead``)."""
    if node is None or not isinstance(action, str) or not node.is_attached:
        return False
    ahead = getattr(node.screen, "typed_ahead", None)
    return isinstance(ahead, TypedAhead) and ahead.keep(node, action, act)


def screen_is_awaited(screen: Screen[Any]) -> bool:
    """Return whether what was typed on a screen waits for what it reads: by its `TypedAhead`, or as
    the screen itself says (``keys_wait``)."""
    ahead = getattr(screen, "typed_ahead", None)
    waits_ahead = isinstance(ahead, TypedAhead) and ahead.awaited
    return waits_ahead or bool(getattr(screen, "keys_wait", False))
