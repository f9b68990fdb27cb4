"""Telling a web address of what happened, from a thread of its own: work never waits for it."""

from __future__ import annotations

import json
import logging
import queue
import socket
import threading
import time
from dataclasses import asdict
from email.message import Message
from http.client import HTTPException
from typing import IO
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from engine import __version__
from engine.store.location import StoreLocation
from engine.store.news import Occasion

TIMEOUT_SECONDS = 10.0
MOST_WAITING = 100
"""Reports; what comes on top of that is dropped, as the address doesn't answer."""

log = logging.getLogger("seqbench")


class Webhook:
    """Posts occasions as JSON, one after the other. A failure is logged once, not tried again."""

    def __init__(self, url: str, location: StoreLocation) -> None:
        self._url = url
        self._location = location
        # An address often holds a secret: only the machine's name is logged.
        self._host = urlsplit(url).hostname
        self._waiting: queue.Queue[bytes | None] = queue.Queue(MOST_WAITING)
        self._told = ""
        self._opener = build_opener(_NoRedirect)
        self._thread = threading.Thread(target=self._work, name="webhook", daemon=True)
        self._thread.start()

    def tell(self, occasion: Occasion) -> None:
        """Report it soon."""
        try:
            self._waiting.put_nowait(json.dumps(self._report(occasion)).encode())
        except queue.Full:
            self._warn(f"{MOST_WAITING} reports wait already")

    def close(self, seconds: float = TIMEOUT_SECONDS) -> None:
        """Report what waits, but no longer than that."""
        try:
            self._waiting.put(None, timeout=seconds)
        except queue.Full:
            return
        self._thread.join(seconds)

    def _report(self, occasion: Occasion) -> dict[str, object]:
        """``text`` is what chat services show."""
        return {
            "event": occasion.kind,
            "text": f"seqbench on {socket.gethostname()}: {occasion.text}",
            "time": time.time(),
            "host": socket.gethostname(),
            "store": str(self._location.db),
            "suite": occasion.run.suite if occasion.run else occasion.suite,
            "counts": dict(occasion.counts),
            "run": asdict(occasion.run) if occasion.run else None,
        }

    def _work(self) -> None:
        while (body := self._waiting.get()) is not None:
            headers = {
                "Content-Type": "application/json",
                "User-Agent": f"seqbench/{__version__}",
            }
            request = Request(self._url, body, headers, method="POST")  # noqa: S310 - checked
            try:
                with self._opener.open(request, timeout=TIMEOUT_SECONDS):
                    self._told = ""
            except (OSError, HTTPException, ValueError) as error:
                self._warn(str(error) or type(error).__name__)

    def _warn(self, problem: str) -> None:
        if problem != self._told:
            self._told = problem
            log.warning("the webhook at %s failed: %s", self._host, problem)


class _NoRedirect(HTTPRedirectHandler):
    """A report that is sent on would lose its content, and could go anywhere."""

    def redirect_request(
        self,
        req: Request,  # noqa: ARG002 - urllib's
        fp: IO[bytes],  # noqa: ARG002
        code: int,  # noqa: ARG002
        msg: str,  # noqa: ARG002
        headers: Message,  # noqa: ARG002
        newurl: str,  # noqa: ARG002
    ) -> None:
        return None
