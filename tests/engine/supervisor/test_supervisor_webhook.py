"""Reports to a web address: a real one, which listens, fails, sends elsewhere, or says nothing."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from rehearsal import SUPERVISOR, Look, wait_for

from engine.store.location import StoreLocation
from engine.store.news import Notification
from engine.supervisor.start import ensure_supervisor, supervisor_running
from engine.supervisor.webhook import MOST_WAITING, Webhook

Add = Callable[..., list[str]]
NOTIFICATION = Notification(
    "suite-ended", "Suite smoke has ended: 3 done.", None, "smoke", {"done": 3}
)


class Listener(ThreadingHTTPServer):
    """Keeps what it is sent, and answers as it is told."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.reports: list[dict[str, Any]] = []
        self.requests: list[str] = []
        self.status = 204
        self.silent = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook/secret"


class Handler(BaseHTTPRequestHandler):
    server: Listener

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.headers["Content-Type"] == "application/json"
        self.server.requests.append(f"POST {self.path}")
        self.server.reports.append(json.loads(body))
        while self.server.silent.is_set():
            time.sleep(0.01)
        self.send_response(self.server.status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def do_GET(self) -> None:
        self.server.requests.append(f"GET {self.path}")
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def listener() -> Iterator[Listener]:
    server = Listener()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.silent.clear()
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_supervisor_reports_failures_and_the_end(
    location: StoreLocation, add: Add, look: Look, listener: Listener, tmp_path: Path
) -> None:
    configs = tmp_path / "configs"
    configs.mkdir()
    (configs / "settings.yaml").write_text(f"idle_seconds: 0.5\nwebhook: {listener.url}\n")
    _, failing = add("quick", "fail")
    ensure_supervisor(location, configs, SUPERVISOR)
    wait_for(lambda: sorted(look.states()) == ["done", "failed"], "the runs to end")
    wait_for(lambda: not supervisor_running(location), "the supervisor to end")
    events = [report["event"] for report in listener.reports]
    assert events == ["run-failed", "queue-empty"]
    failed, end = listener.reports
    assert failed["run"]["id"] == failing
    assert failed["text"].endswith("sasrec × synthetic × 50, seed 1 has failed: It failed.")
    assert failed["store"] == str(location.db)
    assert "The queue is empty" in end["text"]
    log = location.supervisor_log.read_text()
    assert "the webhook" not in log
    assert "secret" not in log


@pytest.mark.parametrize("status", [500, 404, 302, 307])
def test_an_address_that_refuses_is_warned_of_once_and_without_its_secret(
    location: StoreLocation, listener: Listener, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    listener.status = status
    with caplog.at_level(logging.WARNING, "seqbench"):
        webhook = Webhook(listener.url, location)
        for _ in range(3):
            webhook.post(NOTIFICATION)
        webhook.close()
    assert listener.requests == ["POST /hook/secret"] * 3, "and nothing elsewhere"
    (record,) = caplog.records
    assert "the webhook at 127.0.0.1 failed" in record.getMessage()
    assert str(status) in record.getMessage()
    assert "secret" not in caplog.text


def test_an_address_where_nothing_listens_is_warned_of(
    location: StoreLocation, listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    url = listener.url
    listener.server_close()
    with caplog.at_level(logging.WARNING, "seqbench"):
        webhook = Webhook(url, location)
        webhook.post(NOTIFICATION)
        webhook.close()
    assert "failed" in caplog.text


def test_an_address_that_says_nothing_holds_up_nobody(
    location: StoreLocation, listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    listener.silent.set()
    with caplog.at_level(logging.WARNING, "seqbench"):
        webhook = Webhook(listener.url, location)
        began = time.monotonic()
        for _ in range(MOST_WAITING + 5):
            webhook.post(NOTIFICATION)
        webhook.close(0.2)
        assert time.monotonic() - began < 5.0
    assert f"{MOST_WAITING} reports wait already" in caplog.text
    listener.silent.clear()
