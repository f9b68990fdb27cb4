"""Fetching from the Launch screen, from a server of our own."""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from pilots import settled, wait_for
from textual.pilot import Pilot
from textual.widgets import Static

from engine.store.location import StoreLocation
from tui.app import SeqbenchApp
from tui.dialogs.fetch import FetchScreen

RATINGS = "".join(f"{user}\t{item}\t4\t{item}\n" for user in range(1, 9) for item in range(1, 6))


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("tiny/u.data", RATINGS)
    return buffer.getvalue()


class Server(ThreadingHTTPServer):
    """Sends the archive, half of it only after ``go_on``; or an error."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.body = archive()
        self.go_on = threading.Event()
        self.status = 200
        self.url = f"http://127.0.0.1:{self.server_port}/tiny.zip"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        body = self.server.body
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2])
        self.wfile.flush()
        self.server.go_on.wait(20)
        self.wfile.write(body[len(body) // 2 :])

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            return  # whoever asked went away


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.go_on.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def configs(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One more data set, which the server has."""
    monkeypatch.delenv("SEQBENCH_DATA", raising=False)
    folder = tmp_path / "configs"
    (folder / "datasets").mkdir(parents=True)
    entry = {
        "name": "tiny", "title": "Tiny", "size": "small", "reader": "movielens-tab",
        "users": 8, "items": 5, "interactions": 40, "folder": "tiny", "files": {"u.data": None},
        "archive": {"url": server.url, "bytes": len(server.body)}, "license": "None at all.",
    }  # fmt: skip
    (folder / "datasets" / "tiny.yaml").write_text(yaml.safe_dump(entry))
    return folder


async def open_fetch(pilot: Pilot[None]) -> FetchScreen:
    await settled(pilot)
    await pilot.press("right", "f")
    await wait_for(pilot, lambda: isinstance(pilot.app.screen, FetchScreen), "the dialog")
    screen = pilot.app.screen
    assert isinstance(screen, FetchScreen)
    return screen


def header(pilot: Pilot[None]) -> str:
    return str(pilot.app.screen_stack[0].query_one("#grid").render_line(1).text)


async def test_a_data_set_is_fetched_and_ready(
    server: Server, configs: Path, absent_store: StoreLocation
) -> None:
    async with SeqbenchApp(absent_store, configs).run_test(size=(120, 36)) as pilot:
        screen = await open_fetch(pilot)
        assert "None at all." in str(screen.query_one("#licence", Static).content)
        assert not server.go_on.is_set()
        await pilot.press("enter")
        progress = screen.query_one("#progress", Static)
        await wait_for(pilot, lambda: " of " in str(progress.content), "some progress")
        server.go_on.set()
        await wait_for(pilot, lambda: pilot.app.screen is not screen, "the end")
        await wait_for(pilot, lambda: header(pilot).count("✓") == 2, "two data sets ready")


async def test_escape_ends_a_fetch(
    server: Server, configs: Path, absent_store: StoreLocation, tmp_path: Path
) -> None:
    async with SeqbenchApp(absent_store, configs).run_test(size=(120, 36)) as pilot:
        screen = await open_fetch(pilot)
        await pilot.press("enter")
        progress = screen.query_one("#progress", Static)
        await wait_for(pilot, lambda: " of " in str(progress.content), "some progress")
        await pilot.press("escape")
        server.go_on.set()
        await wait_for(pilot, lambda: pilot.app.screen is not screen, "the end")
        await settled(pilot)
        assert header(pilot).count("✓") == 1
    assert not (tmp_path / "cache" / "tiny").exists()


async def test_a_failed_fetch_is_a_sentence_and_can_be_tried_again(
    server: Server, configs: Path, absent_store: StoreLocation
) -> None:
    server.status = 404
    server.go_on.set()
    async with SeqbenchApp(absent_store, configs).run_test(size=(80, 24)) as pilot:
        screen = await open_fetch(pilot)
        await pilot.press("enter")
        problem = screen.query_one("#problem", Static)
        await wait_for(pilot, lambda: problem.display, "the sentence")
        assert "404" in str(problem.content)
        server.status = 200
        await pilot.press("enter")
        await wait_for(pilot, lambda: pilot.app.screen is not screen, "the end")
        await wait_for(pilot, lambda: header(pilot).count("✓") == 2, "two data sets ready")
