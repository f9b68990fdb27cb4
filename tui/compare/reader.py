"""The connection that the comparison's pages are read on, by one thread at a time."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable

from engine.store.compare.ordering import Ordering
from tui.compare.page import Page, Request, read_page, visible_choice


class PageReader:
    """Reads pages. Whoever asks for a second one in the same order is about to scroll: then the
    whole order is kept, as sorting 100,000 runs anew for each page would be felt."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._con: sqlite3.Connection | None = None
        self._ordering: Ordering | None = None
        self._asked: object = None
        self._kept: object = None

    def read(self, request: Request, before: Page | None, stale: Callable[[], bool]) -> Page | None:
        """The page, or None if nobody waits for it any more once its turn comes.

        Raises:
            UserError, sqlite3.Error: the store can't be read, or the filter means nothing.
        """
        with self._lock:
            if stale():
                return None
            try:
                con = self._connection()
                return read_page(con, request, before, self._order_of(con, request))
            except BaseException:
                self._forget()
                raise

    def close(self) -> None:
        """Let go of the file, as soon as nobody reads."""
        with self._lock:
            self._forget()

    def _connection(self) -> sqlite3.Connection:
        from engine.store.database import StoreConnection, is_current

        con = self._con
        if isinstance(con, StoreConnection) and not is_current(con):
            self._forget()
        if self._con is None:
            self._con = self._connect()
            self._ordering = Ordering(self._con)
        return self._con

    def _order_of(self, con: sqlite3.Connection, request: Request) -> Ordering | None:
        """What was put in order before, or is now; None where a page is quick without."""
        if request.grouped or self._ordering is None:
            return None
        choice = visible_choice(con, request.choice)
        wanted = (request.version, choice, request.sort, request.descending)
        if wanted != self._kept:
            if wanted != self._asked:
                self._asked = wanted
                return None
            self._ordering.make(choice, request.sort, request.descending)
            self._kept = wanted
        return self._ordering

    def _forget(self) -> None:
        if self._con is not None:
            self._con.close()
        self._con = self._ordering = self._asked = self._kept = None
