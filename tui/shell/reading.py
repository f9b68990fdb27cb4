"""Reading apart from showing: in a thread, for one screen or widget."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from functools import partial
from typing import Generic, NamedTuple, TypeVar

from textual.dom import DOMNode

from engine.errors import UserError

T = TypeVar("T")

_NOTHING = object()
"""What was read about before anything was."""


class _Asked(NamedTuple, Generic[T]):
    """One thing to read.

    Attributes:
        subject: what is read about: two of the same subject differ in when they are read only.
    """

    read: Callable[[], T]
    subject: Hashable


class Reading(Generic[T]):
    """Reads in a thread, one read at a time.

    What is asked for while a read goes on waits for its end, and only the newest of it is then
    read: reads never pile up, however often the store changes. What a read found is shown if
    nothing about another subject was asked for meanwhile, and its owner is still there.

    Args:
        owner: the screen or widget that asks; once it is unmounted nothing is shown any more.
        show: takes what was read, in the app's thread.
        fail: takes why nothing could be read, as a sentence, in the app's thread.
    """

    def __init__(
        self, owner: DOMNode, show: Callable[[T], object], fail: Callable[[str], object]
    ) -> None:
        self._owner = owner
        self._show = show
        self._fail = fail
        self._current: _Asked[T] | None = None
        self._next: _Asked[T] | None = None
        self._shown: Hashable = _NOTHING
        """The subject of what was shown last."""
        self._failed = False
        """Whether what was told last is why nothing could be read."""
        self._waiting: list[Callable[[], Awaitable[object]]] = []

    @property
    def busy(self) -> bool:
        """Whether a read is under way."""
        return self._current is not None

    @property
    def begins(self) -> bool:
        """Whether a read is under way and nothing is shown yet."""
        return self.busy and self._shown is _NOTHING

    @property
    def failed(self) -> bool:
        """Whether the last read found nothing but a problem, and none is under way."""
        return self._failed and not self.busy

    @property
    def settled(self) -> bool:
        """Whether what is shown is about what was asked for last, though it may have changed since;
        or nothing is read."""
        newest = self._next or self._current
        return newest is None or newest.subject == self._shown

    @property
    def awaited(self) -> bool:
        """Whether anything waits for what is read."""
        return bool(self._waiting)

    def then(self, act: Callable[[], Awaitable[object]]) -> None:
        """Act once what was asked for last is shown, in the order of calls; never if it can't be
        read."""
        self._waiting.append(act)

    def ask(self, read: Callable[[], T], subject: Hashable = None) -> None:
        """Read in the thread, as soon as it is free.

        Args:
            read: imports what it needs, so that the screen doesn't wait for it. What it raises
                becomes a sentence if it is a `UserError`, an `sqlite3.Error` or an `OSError`;
                anything else ends the app.
            subject: what is read about, such as the filter.
        """
        self._next = _Asked(read, subject)
        if self._current is None:
            self._begin()

    def _begin(self) -> None:
        asked, self._next = self._next, None
        if asked is not None:
            self._current = asked
            work = partial(self._in_thread, asked)
            # Without a description Textual writes the repr of all that is passed on, even whole
            # pages of runs and the configuration.
            self._owner.run_worker(work, group="reading", description="reading", thread=True)

    def _in_thread(self, asked: _Asked[T]) -> None:
        import sqlite3  # not before the first paint

        try:
            found = asked.read()
        except (UserError, sqlite3.Error, OSError) as error:
            self._owner.call_later(self._end, asked, partial(self._fail, str(error)), False)
        else:
            self._owner.call_later(self._end, asked, partial(self._show, found), True)

    async def _end(self, asked: _Asked[T], tell: Callable[[], object], found: bool) -> None:
        self._current = None
        newest = self._next
        told = newest is None or newest.subject == asked.subject
        if self._owner.is_attached and told:
            self._failed = not found
            self._shown = asked.subject if found else _NOTHING
            tell()
        if self._current is None:
            self._begin()
        if not self._owner.is_attached or (told and not found):
            self._waiting.clear()
        while self._waiting and self.settled:
            await self._waiting.pop(0)()
