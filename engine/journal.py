"""The journal of an attempt: an append-only file with a JSON object in each line.

A crash loses at most the last second of it, and readers never take a torn line.

Every line has ``seq`` (0, 1, 2, …), ``t`` (wall time, seconds since the epoch) and ``kind``.
"""

from __future__ import annotations

import errno
import json
import math
import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, NoReturn, Self

from engine.files.regular import open_regular

FORMAT = 1
"""Version of the format, in every ``start``."""

Kind = Literal["start", "step", "epoch", "telemetry", "checkpoint", "warning", "heartbeat", "end"]
EndStatus = Literal["done", "failed", "cancelled", "preempted"]

DURABLE: frozenset[Kind] = frozenset({"start", "epoch", "checkpoint", "end"})
"""Kinds that are on the disk before `JournalWriter.write` returns."""

NO_ROOM = 75
"""Exit status of an attempt that a full disk kept from writing its ``end``."""

CROWDED = "crowded"
"""Cause of the end of an attempt whose memory ran out beside other runs of its process: it is
preempted, and the run is trained alone from then on."""

FSYNC_SECONDS = 1.0
"""Most time until a line that isn't durable is on the disk."""

HEARTBEAT_SECONDS = 5.0
"""Time without a line after which a ``heartbeat`` is written."""


class JournalWriter:
    """Appends lines to a new journal. Thread-safe; a file has one writer."""

    def __init__(self, path: Path) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o600)
        self._lock = threading.Lock()
        self._seq = 0
        self._torn = False
        self._unsynced = False
        self._last_write = time.monotonic()
        self._closed = threading.Event()
        self._flusher = threading.Thread(target=self._flush, name="journal", daemon=True)
        self._flusher.start()

    def write(self, kind: Kind, **fields: Any) -> None:
        """Append one line with one ``os.write``; durable kinds are fsynced at once.

        Raises:
            OSError: the line can't be written whole (a full disk). It reads as a bad line, and the
                next one begins on a new line.
            ValueError: a field is a number that isn't finite.
        """
        with self._lock:
            line = {"seq": self._seq, "t": round(time.time(), 3), "kind": kind, **fields}
            text = json.dumps(line, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
            data = b"\n" * self._torn + text.encode("utf-8", "replace") + b"\n"
            written = os.write(self._descriptor, data)
            self._seq += 1  # even if it is cut: all but its newline may be there
            self._torn = written != len(data)
            if self._torn:
                raise OSError(errno.ENOSPC, "the journal line was truncated: is the disk full?")
            self._last_write = time.monotonic()
            self._unsynced = True
            if kind in DURABLE:
                self._sync()

    def close(self) -> None:
        """Fsync and close the file. Raises `OSError` if that fails."""
        self._closed.set()
        self._flusher.join()
        with self._lock:
            try:
                self._sync()
            finally:
                os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _flush(self) -> None:
        """Fsync lines within `FSYNC_SECONDS`, and write heartbeats; runs on a thread."""
        while not self._closed.wait(FSYNC_SECONDS):
            # An error here recurs at the next durable line, whose writer can act on it.
            with suppress(OSError):
                if time.monotonic() - self._last_write >= HEARTBEAT_SECONDS:
                    self.write("heartbeat")
                if self._unsynced:
                    self._sync()

    def _sync(self) -> None:
        self._unsynced = False
        os.fsync(self._descriptor)


@dataclass(frozen=True)
class JournalLine:
    """A whole line, parsed."""

    seq: int
    t: float
    kind: str
    fields: dict[str, Any]


@dataclass(frozen=True)
class BadLine:
    """A whole line that is malformed; it is skipped, and ``seqbench doctor`` reports it."""

    offset: int
    problem: str


@dataclass(frozen=True)
class Chunk:
    """The lines that `read_journal` read."""

    entries: list[JournalLine | BadLine]
    offset: int
    """The byte after the last whole line, for the next `read_journal`."""

    @property
    def lines(self) -> list[JournalLine]:
        """The entries that are well formed."""
        return [entry for entry in self.entries if isinstance(entry, JournalLine)]


def read_journal(path: Path, offset: int = 0, limit: int = 4_000_000) -> Chunk:
    """Read the whole lines from byte ``offset`` on, about ``limit`` bytes at most.

    Opens the file with every call, so that a network file system revalidates it. A torn last line
    is left for a later call. A missing file reads as empty.
    """
    try:
        with open_regular(path) as file:
            file.seek(offset)
            data = file.read(limit)
            if data and b"\n" not in data and len(data) == limit:
                data += file.readline()
    except FileNotFoundError:
        return Chunk([], offset)
    whole = data[: data.rfind(b"\n") + 1]
    return Chunk(list(_parse(whole, offset)), offset + len(whole))


def _parse(data: bytes, offset: int) -> Iterator[JournalLine | BadLine]:
    for raw in data.split(b"\n")[:-1]:
        yield _parse_line(raw, offset)
        offset += len(raw) + 1


def _parse_line(raw: bytes, offset: int) -> JournalLine | BadLine:
    try:
        text = raw.decode()
        fields = json.loads(text, parse_constant=_refuse, parse_int=_int64, parse_float=_finite)
        seq, t, kind = fields.pop("seq"), fields.pop("t"), fields.pop("kind")
        if "\\u" in text:
            json.dumps(fields, ensure_ascii=False).encode()  # fails for half a surrogate pair
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        return BadLine(offset, "not a journal line")
    if not (type(seq) is int and seq >= 0 and type(t) in (int, float) and type(kind) is str):
        return BadLine(offset, "seq, t or kind has the wrong type")
    return JournalLine(seq, float(t), kind, fields)


def _int64(digits: str) -> int:
    """Parse an integer that fits SQLite's. Raises `ValueError`."""
    number = int(digits)
    return number if -(2**63) <= number < 2**63 else _refuse(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _refuse(digits)


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text[:20]} is out of range")
