"""A server of archives as a data set's publisher has it, and what it sends."""

from __future__ import annotations

import io
import re
import stat
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from engine.datasets.download import RetryPolicy

RATINGS = b"".join(b"%d\t%d\t3\t%d\n" % (i % 50, i * 7919 % 997, i * i) for i in range(30_000))


QUICK = RetryPolicy(connect=5, read=5, retries=2, backoff=0)


@dataclass
class Site:
    """What the server sends, and how badly."""

    body: bytes = b""
    url: str = ""
    status: int = 200
    location: str | None = None
    """Where everyone is sent instead."""
    failures: int = 0
    """So many first answers are 503."""
    stop_after: int | None = None
    """Bytes after which an answer's connection is closed."""
    stall_after: int | None = None
    """Bytes after which nothing more comes until the test ends."""
    ranges: bool = True
    asked: list[str | None] = field(default_factory=list)
    """The Range header of every request."""
    over: threading.Event = field(default_factory=threading.Event)


@contextmanager
def serving() -> Iterator[Site]:
    """A server of one archive, and what it is to send."""
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            site.asked.append(asked)
            if site.failures:
                site.failures -= 1
                self.send_error(503)
                return
            if site.location is not None:
                self.send_response(302)
                self.send_header("Location", site.location)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            if site.status != 200:
                self.send_error(site.status)
                return
            start = int(re.findall(r"\d+", asked)[0]) if asked and site.ranges else 0
            body = site.body[start:]
            self.send_response(206 if start else 200)
            if start:
                whole = len(site.body)
                self.send_header("Content-Range", f"bytes {start}-{whole - 1}/{whole}")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            cut = min((n for n in (site.stop_after, site.stall_after) if n), default=len(body))
            self.wfile.write(body[:cut])
            self.wfile.flush()
            if site.stall_after:
                site.over.wait(30)
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_port}/tiny.zip"
    yield site
    site.over.set()
    server.shutdown()
    thread.join()
    server.server_close()


def zipped(
    members: dict[str, bytes] | None = None,
    link: str | None = None,
    method: int = zipfile.ZIP_STORED,
) -> bytes:
    """A zip with the ratings, a README, something unwanted, and ``members``."""
    buffer = io.BytesIO()
    content = {
        "tiny-folder/": b"",
        "tiny-folder/README": b"Cite us.",
        "tiny-folder/u.data": RATINGS,
        "tiny-folder/u.genre": b"unwanted",
        "tiny-folder/deeper/u.data": b"unwanted",
    } | (members or {})
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, body in content.items():
            archive.writestr(name, body)
        if link:
            info = zipfile.ZipInfo("tiny-folder/README.link")
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, link)
    return buffer.getvalue()


def left_over(cache: Path) -> set[str]:
    return {path.name for path in cache.iterdir()} - {".tiny-folder.lock"}
