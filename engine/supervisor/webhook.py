"""Posting notifications to a web address from a thread, so that work never waits for it."""

from __future__ import annotations

import json
import logging
import queue
import socket
import threading
import time
from dataclasses import asdict
from urllib.parse import urlsplit

from engine import __version__
from engine.store.location import StoreLocation
from engine.store.news import Notification

TIMEOUT_SECONDS = 10.0
MOST_WAITING = 100
"""Most notifications that wait for an address that doesn't answer; further ones are dropped."""

log = logging.getLogger("seqbench")


class Webhook:
    """Posts notifications as JSON, in their order. A failure is logged once, and not retried."""

    def __init__(self, url: str, location: StoreLocation) -> None:
        self._url = url
        self._location = location
        # An address often holds a secret: only the machine's name is logged.
        self._host = urlsplit(url).hostname
        self._waiting: queue.Queue[bytes | None] = queue.Queue(MOST_WAITING)
        self._problem = ""
        self._thread = threading.Thread(target=self._post_all, name="webhook", daemon=True)
        self._thread.start()

    def post(self, notification: Notification) -> None:
        """Post a notification soon."""
        try:
            self._waiting.put_nowait(json.dumps(self._body(notification)).encode())
        except queue.Full:
            self._warn(f"{MOST_WAITING} reports wait already")

    def close(self, seconds: float = TIMEOUT_SECONDS) -> None:
        """Post the notifications that wait, for at most this long, and end the thread."""
        try:
            self._waiting.put(None, timeout=seconds)
        except queue.Full:
            return
        self._thread.join(seconds)

    def _body(self, notification: Notification) -> dict[str, object]:
        """Return the content of a request; chat services show its ``text``."""
        run = notification.run
        return {
            "event": notification.kind,
            "text": f"seqbench on {socket.gethostname()}: {notification.text}",
            "time": time.time(),
            "host": socket.gethostname(),
            "store": str(self._location.db),
            "suite": run.suite if run else notification.suite,
            "counts": dict(notification.counts),
            "run": asdict(run) if run else None,
        }

    def _post_all(self) -> None:
        import httpx  # a tenth of a second, which a supervisor without a webhook needn't spend

        logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs every address in full
        headers = {"Content-Type": "application/json", "User-Agent": f"seqbench/{__version__}"}
        # A redirect isn't followed: it would lose the content, and could lead anywhere.
        with httpx.Client(headers=headers, timeout=TIMEOUT_SECONDS) as client:
            while (body := self._waiting.get()) is not None:
                try:
                    with client.stream("POST", self._url, content=body) as response:
                        problem = f"{response.status_code} {response.reason_phrase}"
                except (httpx.HTTPError, httpx.InvalidURL) as error:
                    self._warn(str(error) or type(error).__name__)
                    continue
                if response.is_success:
                    self._problem = ""
                else:
                    self._warn(problem)

    def _warn(self, problem: str) -> None:
        if problem != self._problem:
            self._problem = problem
            log.warning("the webhook at %s failed: %s", self._host, problem)
