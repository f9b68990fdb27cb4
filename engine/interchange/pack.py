"""Exports runs as one archive: a manifest, then the files of their folders.

The same runs give the same bytes: members are in order, and carry no time and no owner.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

from engine.errors import RunError
from engine.files.named import named_file
from engine.files.regular import open_regular
from engine.interchange.archive import check_name, tarfile, write_archive
from engine.interchange.manifest import KEPT, NAME, WEIGHTS, ArchiveError, Entry, Manifest
from engine.lifecycle import ENDED
from engine.progress import OnProgress, counted, untold
from engine.runfolder import RunFolder
from engine.store.compare.comparison import matching
from engine.store.database import StoreConnection
from engine.store.intake.folders import meta_text
from engine.store.location import StoreLocation


@dataclass(frozen=True)
class Packed:
    """What an archive was given."""

    runs: tuple[str, ...]
    left_out: tuple[str, ...]
    """A sentence for each matching run that is not in it."""
    bytes: int
    """Size of the archive."""


def pack(
    con: StoreConnection,
    location: StoreLocation,
    output: Path,
    *,
    filter: str = "",  # noqa: A002 - the command line's name for it
    aggregate: str = "best",
    without: Sequence[str] = (),
    weights: bool = False,
    on_progress: OnProgress = untold,
) -> Packed:
    """Write the matching runs that have ended to ``output``, which is replaced only by a whole
    archive.

    Args:
        filter, aggregate, without: as in `engine.store.compare.comparison.comparison`.
        weights: whether checkpoints and the chosen epoch's weights are included, which no
            comparison needs.
        on_progress: told of runs, each of which is read twice.

    Raises:
        UsageError: the filter is invalid, or the name doesn't tell the compression.
        UserError: the file can't be written, or a run's files changed meanwhile.
    """
    check_name(output)
    runs, left_out = _ended(con, *matching(filter, aggregate, without))
    sources: dict[str, dict[str, _Source]] = {}
    for run in counted(runs, on_progress, (1, 2)):
        try:
            sources[run] = dict(_sources(con, location.folder(run), weights))
        except (OSError, RunError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            left_out.append(f"{run} is left out: its folder can't be read ({why}).")
    manifest = Manifest(
        {run: {n: source.entry for n, source in files.items()} for run, files in sources.items()}
    )
    size = _write(output, manifest, sources, on_progress) if manifest.runs else 0
    return Packed(tuple(manifest.runs), tuple(left_out), size)


def _ended(
    con: StoreConnection, where: str, parameters: Sequence[object]
) -> tuple[list[str], list[str]]:
    """Return the ids of matching runs that have ended, in order, and a sentence for each other."""
    rows = con.rows(f"SELECT id, state FROM runs r WHERE {where} ORDER BY id", parameters)  # noqa: S608
    going = [
        f"{run} is left out: it is {state}, and may still change."
        for run, state in rows
        if state not in ENDED
    ]
    return [run for run, state in rows if state in ENDED], going


@dataclass(frozen=True)
class _Source:
    """A member of the archive and where its bytes come from."""

    entry: Entry
    content: bytes | Path

    def open(self) -> BinaryIO:
        if isinstance(self.content, bytes):
            return io.BytesIO(self.content)
        return open_regular(self.content)


def _sources(
    con: StoreConnection, folder: RunFolder, weights: bool
) -> Iterator[tuple[str, _Source]]:
    # What the store knows of notes and tags may not be in meta.json yet.
    meta = meta_text(con, folder.run_id).encode()
    for path in sorted(folder.path.iterdir()):
        if path.name == folder.meta.name:
            yield path.name, _Source(Entry(len(meta), hashlib.sha256(meta).hexdigest()), meta)
        elif KEPT.fullmatch(path.name) or (weights and WEIGHTS.fullmatch(path.name)):
            with open_regular(path) as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                yield path.name, _Source(Entry(file.tell(), digest), path)


def _write(
    output: Path,
    manifest: Manifest,
    sources: dict[str, dict[str, _Source]],
    on_progress: OnProgress,
) -> int:
    """Write the archive, and return its bytes. Raises as `pack`."""
    with named_file(output) as file:
        with write_archive(file, output.name) as tar:
            text = manifest.text().encode()
            tar.addfile(_member(NAME, len(text)), io.BytesIO(text))
            for run, files in counted(list(sources.items()), on_progress, (2, 2)):
                for name, source in files.items():
                    _add(tar, f"runs/{run}/{name}", source)
        return file.tell()


def _add(tar: tarfile.TarFile, name: str, source: _Source) -> None:
    with source.open() as file:
        hashed = _Hashed(file)
        try:
            tar.addfile(_member(name, source.entry.bytes), hashed)
        except OSError as error:
            if error.strerror is None:  # tarfile's own: the file became shorter
                raise _changed(name) from None
            raise
    if hashed.hexdigest() != source.entry.sha256:
        raise _changed(name)


def _changed(name: str) -> ArchiveError:
    return ArchiveError(f"{name} changed while it was exported: try again.")


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    return member


class _Hashed(io.RawIOBase):
    """A file that computes the SHA-256 of its bytes as they are read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._hash.update(data)
        return data

    def hexdigest(self) -> str:
        return self._hash.hexdigest()
