"""Fetching a data set's archive into the cache: resumable, checked, and put in place atomically,
also when several processes fetch it at once.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import httpx

from engine.datasets.locate import (
    cache_folder,
    damaged_files,
    locate,
    md5_of,
    record_unpacked,
)
from engine.datasets.unpack import unpack
from engine.errors import DataError
from engine.files.atomic import fsync_folder
from engine.files.lock import hold_lock
from engine.spec import Archive, Dataset

WAIT_STEP = 0.1
"""Seconds between two checks for cancellation while waiting."""


@dataclass(frozen=True)
class Progress:
    """The progress of a download."""

    done: int
    """Bytes of the archive on disk, those of an earlier fetch included."""
    total: int
    """Bytes of the archive."""
    seconds: float
    """Time since this fetch began."""


@dataclass(frozen=True)
class RetryPolicy:
    """Timeouts and retries of a download."""

    connect: float = 10.0
    """Most seconds to connect."""
    read: float = 20.0
    """Most seconds without a byte."""
    retries: int = 4
    """Further tries after a broken connection or a temporary error of the server."""
    backoff: float = 1.0
    """Seconds before the first further try; doubled before each one after it."""


class FetchCancelledError(DataError):
    """The user stopped the fetch."""


class _TemporaryError(Exception):
    """A failure that trying again may cure."""


def offer(dataset: Dataset) -> str:
    """Describe a fetch in one sentence: its size, its host, and whether the archive can be
    verified."""
    if dataset.archive is None:
        return f"{dataset.title} can't be fetched: put its files under SEQBENCH_DATA."
    host = httpx.URL(dataset.archive.url).host
    checked = (
        "checked against its published md5"
        if dataset.archive.md5
        else "not verified, because no checksum of it is published"
    )
    return f"{dataset.title}: {dataset.archive.bytes / 1e6:.1f} MB from {host}, {checked}."


def fetch(
    dataset: Dataset,
    on_progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    policy: RetryPolicy | None = None,
) -> Path:
    """Fetch a data set, unless it is here and undamaged, and return its folder.

    An archive without a published md5 is only verified by its size and the checksums in the zip,
    which `offer` says beforehand. A fetch that fails keeps the bytes received, and the next one
    resumes from them.

    Args:
        on_progress: called with every chunk.
        cancelled: asked with every chunk; ``True`` stops the fetch.

    Raises:
        FetchCancelledError: ``cancelled`` returned ``True``.
        DataError: the data set can't be fetched; the sentence says what to do.
    """
    if dataset.archive is None or dataset.folder is None:
        reason = (
            "is generated and needs no fetching" if dataset.synthetic else "has no known address"
        )
        raise DataError(f"{dataset.title} {reason}. {dataset.note}".strip())
    if ready := _sound(dataset):
        return ready
    target = cache_folder() / dataset.folder
    part = cache_folder() / f".{dataset.folder}.part"
    task = _Download(
        dataset.title,
        dataset.archive,
        dataset.archive.url,
        part,
        on_progress or (lambda _: None),
        cancelled or (lambda: False),
        policy or RetryPolicy(),
        time.monotonic(),
    )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with hold_lock(part.with_suffix(".lock"), task.sleep):
            if ready := _sound(dataset):
                return ready
            _from_any(task)
            _put_in_place(dataset, part, target)
            part.unlink(missing_ok=True)
    except OSError as error:
        raise DataError(
            f"{dataset.title} can't be written to {target.parent} ({error.strerror or error}): "
            "make room there, or set SEQBENCH_CACHE to another folder."
        ) from error
    return target


def _from_any(task: _Download) -> None:
    """Fetch from the first address that works. Raises the last address's `DataError` if none
    does."""
    addresses = (task.archive.url, *task.archive.mirrors)
    for address in addresses[:-1]:
        try:
            replace(task, url=address).run()
        except FetchCancelledError:
            raise
        except DataError:
            continue
        return
    replace(task, url=addresses[-1]).run()


@dataclass(frozen=True)
class _Download:
    """The download of one archive into the file ``part``."""

    title: str
    archive: Archive
    url: str
    """The archive's address, or a mirror's."""
    part: Path
    on_progress: Callable[[Progress], None]
    cancelled: Callable[[], bool]
    policy: RetryPolicy
    began: float

    def run(self) -> None:
        """Download to ``part`` and verify it. Raises `DataError`."""
        resumed = self.part.exists() and self.part.stat().st_size > 0
        self._transfer()
        problem = self._mismatch()
        if problem and resumed:
            # The bytes of an earlier fetch may be the wrong ones: try again from nothing.
            self.part.unlink()
            self._transfer()
            problem = self._mismatch()
        if problem:
            self.part.unlink()
            raise DataError(
                f"What {self.url} sends is not the published archive ({problem}): try again later; "
                "if this persists, check whether a proxy or a login page answers."
            )

    def check_cancelled(self) -> None:
        """Raise `FetchCancelledError` if the user wants to stop."""
        if self.cancelled():
            raise FetchCancelledError(
                f"Fetching {self.title} was cancelled; fetching it again continues where it "
                "stopped."
            )

    def sleep(self, seconds: float) -> None:
        """Sleep, unless cancelled meanwhile."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.check_cancelled()
            time.sleep(min(left, WAIT_STEP))

    def _transfer(self) -> None:
        """Download the missing bytes, with retries."""
        pause = self.policy.backoff
        for further in range(self.policy.retries, -1, -1):
            self.check_cancelled()
            try:
                self._receive()
                return
            except (_TemporaryError, httpx.TransportError) as error:
                if not further:
                    reason = str(error) or type(error).__name__
                    raise DataError(
                        f"{self.title} could not be fetched from {self.url} ({reason}): check the "
                        "network or the proxy and try again, which continues where it stopped, or "
                        "put its files under SEQBENCH_DATA."
                    ) from error
                self.sleep(pause)
                pause *= 2
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise DataError(
                    f"{self.title} can't be fetched from {self.url} ({error}): "
                    "correct the address in configs/datasets, or put its files under SEQBENCH_DATA."
                ) from error

    def _receive(self) -> None:
        """Download the missing bytes in one request."""
        have = self.part.stat().st_size if self.part.exists() else 0
        if have > self.archive.bytes:
            self.part.unlink()
            have = 0
        if have == self.archive.bytes:
            return
        # Size and checksum are those of the archive itself, so it must not be compressed in
        # transit.
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
        timeout = httpx.Timeout(self.policy.read, connect=self.policy.connect)
        with httpx.stream(
            "GET", self.url, headers=headers, timeout=timeout, follow_redirects=True
        ) as response:
            start = self._start_of(response, have)
            with self.part.open("r+b" if start else "wb") as file:
                file.seek(start)
                file.truncate()
                self._write(response, file, start)

    def _start_of(self, response: httpx.Response, have: int) -> int:
        """Return the offset in the archive at which the response's body begins."""
        status = f"{response.status_code} {response.reason_phrase}".strip()
        if response.status_code == 206:
            if response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
                return have
            self.part.unlink()
            raise _TemporaryError("the server sent a different part than requested")
        if response.status_code == 200:
            return 0
        if response.status_code == 416:
            self.part.unlink()
            raise _TemporaryError("the server can't continue where it stopped")
        if response.status_code in (408, 425, 429) or response.status_code >= 500:
            raise _TemporaryError(f"the server answered {status}")
        raise DataError(
            f"{self.title} can't be fetched: {self.url} answered {status}: "
            "correct the address in configs/datasets, or put its files under SEQBENCH_DATA."
        )

    def _write(self, response: httpx.Response, file: BinaryIO, done: int) -> None:
        total = self.archive.bytes
        for chunk in response.iter_raw():
            # Raw chunks: of a fixed size, the last one would be lost when a connection breaks.
            # One byte too many shows that this isn't the archive; the rest is not written.
            kept = chunk[: total + 1 - done]
            file.write(kept)
            done += len(kept)
            self.on_progress(Progress(min(done, total), total, time.monotonic() - self.began))
            if done > total:
                return
            self.check_cancelled()
        length = response.headers.get("Content-Length")
        if done < total and length is None:
            raise _TemporaryError(f"the connection ended after {done:,} of {total:,} bytes")

    def _mismatch(self) -> str | None:
        """Say how ``part`` differs from the published archive, or return ``None``."""
        found = self.part.stat().st_size
        if found != self.archive.bytes:
            more = "more than " if found > self.archive.bytes else f"{found:,} bytes, not "
            return f"{more}{self.archive.bytes:,} bytes"
        if self.archive.md5 is None:
            return None
        with self.part.open("rb") as file:
            md5 = md5_of(file)
        return None if md5 == self.archive.md5 else f"its md5 is {md5}, not {self.archive.md5}"


def _sound(dataset: Dataset) -> Path | None:
    """Return the data set's folder if it is here and undamaged.

    Raises:
        DataError: it is damaged in a folder that goes before the cache.
    """
    located = locate(dataset)
    if located is None:
        return None
    problems = damaged_files(dataset, located.folder)
    if problems and located.origin == "SEQBENCH_DATA":
        raise DataError(
            f"{problems[0]} SEQBENCH_DATA takes precedence over the cache: repair or remove that "
            "copy, or unset the variable."
        )
    if problems and located.origin == "configuration":
        raise DataError(
            f"{problems[0]} The configured folder takes precedence over the cache: repair or "
            "remove that copy, or remove 'local' from the data set's YAML."
        )
    return None if problems else located.folder


def _put_in_place(dataset: Dataset, archive: Path, target: Path) -> None:
    """Unpack ``archive`` beside ``target`` and rename it, replacing a damaged ``target``."""
    assert dataset.folder is not None
    assert dataset.archive is not None
    for killed in target.parent.glob(f".{dataset.folder}.????????.*"):
        shutil.rmtree(killed, ignore_errors=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{dataset.folder}.", suffix=".new", dir=target.parent))
    try:
        titles = (dataset.titles,) if dataset.titles else ()
        unpack(archive, fresh, dataset.folder, tuple(dataset.files), dataset.archive.bytes, titles)
        if problems := damaged_files(dataset, fresh):
            raise DataError(f"The archive of {dataset.title} is not as published: {problems[0]}")
        record_unpacked(dataset, fresh)
        old = fresh.with_suffix(".old")
        if target.exists():
            target.rename(old)
        fresh.rename(target)
        fsync_folder(target.parent)
        shutil.rmtree(old, ignore_errors=True)
    except DataError:
        archive.unlink(missing_ok=True)
        raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
