"""Imports an archive of runs: it is checked completely, aside, before the store is changed.

Nothing in an archive is trusted. The manifest may only name files that a run has, members must be
plain files in the manifest's order with its sizes and checksums, and a run whose files contradict
each other is refused, so that no archive makes anything train or be unpickled.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from engine.errors import StoreError, shown
from engine.files.regular import open_regular
from engine.interchange.archive import DAMAGE, open_archive, tarfile
from engine.interchange.manifest import MOST_BYTES, NAME, ArchiveError, Manifest, read_manifest
from engine.interchange.place import Imported, importing, place
from engine.lifecycle import ENDED
from engine.progress import OnProgress, counted, untold
from engine.runfolder import RunFolder
from engine.spec import RunSpec
from engine.specfile import load_spec_file, parse_any
from engine.store.intake.folders import load_meta
from engine.store.location import StoreLocation

_CHUNK = 1 << 20


def unpack(archive: Path, location: StoreLocation, on_progress: OnProgress = untold) -> Imported:
    """Import the runs of an archive into the store, which is created if there is none.

    A run that the store has already is unchanged. A run whose id another run has gets a longer id,
    which is the same each time.

    Args:
        on_progress: told of runs, each of which is unpacked and then added.

    Raises:
        ArchiveError: the file isn't an archive of ours, isn't whole, or doesn't fit on the disk;
            nothing was changed.
        StoreError: the store can't be written.
    """
    try:
        with _members_of(archive) as members:
            manifest = members.manifest()
            with importing(location) as aside:
                _check_room(manifest, aside)
                _extract(members, manifest, aside, on_progress)
                folders = [RunFolder(aside / run) for run in manifest.runs]
                for folder in folders:
                    _check_run(folder)
                return place(location, folders, on_progress)
    except ArchiveError as error:
        raise ArchiveError(f"{archive} can't be imported: {error}.") from None


def manifest_of(archive: Path) -> Manifest:
    """Read the manifest of an archive. Raises `ArchiveError` if it has none."""
    try:
        with _members_of(archive) as members:
            return members.manifest()
    except ArchiveError as error:
        raise ArchiveError(f"{archive} can't be imported: {error}.") from None


class _PlainMember(tarfile.TarInfo):
    """A member that must be a plain file: no link or device, and no extended header, which would
    be read at once whatever size it claims."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        """Every header comes through here, as tarfile's own comment says, before it is acted on."""
        if self.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
            raise ArchiveError(f"{shown(self.name)} in it is not a file")
        member: tarfile.TarInfo = super()._proc_member(archive)  # type: ignore[misc]
        return member


@dataclass(frozen=True)
class _Members:
    """The members of an archive, read in order. Damage raises `ArchiveError`."""

    tar: tarfile.TarFile

    def manifest(self) -> Manifest:
        member = self.next()
        if member is None or member.name != NAME:
            raise ArchiveError("`seqbench export` didn't write it")
        if member.size > MOST_BYTES:
            raise ArchiveError(f"its manifest is {member.size:,} bytes long")
        return read_manifest(b"".join(self.content(member)))

    def next(self) -> tarfile.TarInfo | None:
        with _damage_told():
            return self.tar.next()

    def content(self, member: tarfile.TarInfo) -> Iterator[bytes]:
        """Yield the bytes of a member in chunks of 1 MiB."""
        with _damage_told():
            file = self.tar.extractfile(member)
            assert file is not None  # of a file there is one
            while data := file.read(_CHUNK):
                yield data


@contextmanager
def _members_of(archive: Path) -> Iterator[_Members]:
    try:
        file = open_regular(archive)
    except OSError as error:
        raise ArchiveError(error.strerror or "it can't be read") from None
    with file:
        with _damage_told():
            tar = open_archive(file, _PlainMember)
        if tar is None:
            raise ArchiveError("it is neither gzip nor Zstandard")
        with tar:
            yield _Members(tar)


@contextmanager
def _damage_told() -> Iterator[None]:
    try:
        yield
    except DAMAGE:
        raise ArchiveError("it is damaged or truncated, so fetch it again") from None


def _check_room(manifest: Manifest, aside: Path) -> None:
    free = shutil.disk_usage(aside).free
    if manifest.bytes > free:
        raise ArchiveError(
            f"its files take {manifest.bytes / 2**20:,.0f} MiB, and {free / 2**20:,.0f} MiB are "
            f"free in {aside.parent}"
        )


def _extract(
    members: _Members, manifest: Manifest, aside: Path, on_progress: OnProgress = untold
) -> None:
    for run, files in counted(list(manifest.runs.items()), on_progress, (1, 2)):
        (aside / run).mkdir(mode=0o700)
        for name, entry in files.items():
            wanted, member = f"runs/{run}/{name}", members.next()
            if member is None:
                raise ArchiveError(f"it ends before {wanted}, so fetch it again")
            if member.name != wanted or member.size != entry.bytes:
                raise ArchiveError(f"{shown(member.name)} is in the place of {wanted}")
            if _copied(members.content(member), aside / run / name) != entry.sha256:
                raise ArchiveError(f"{wanted} isn't what was exported, so fetch it again")
    if (member := members.next()) is not None:
        raise ArchiveError(f"its manifest doesn't mention {shown(member.name)}")


def _copied(content: Iterable[bytes], path: Path) -> str:
    """Write the chunks to a new file, durably; return their SHA-256."""
    digest = hashlib.sha256()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        for data in content:
            digest.update(data)
            out.write(data)
        out.flush()
        os.fsync(descriptor)
    return digest.hexdigest()


def _check_run(folder: RunFolder) -> None:
    """Raise `ArchiveError` unless the folder is a run that has ended."""
    run = folder.run_id
    try:
        spec = parse_any(folder, load_spec_file(folder))
        meta = load_meta(folder)
    except StoreError as error:
        # The sentence names the file aside, which nobody knows.
        told = str(error).replace(str(folder.path), run).rstrip(".")
        raise ArchiveError(told) from None
    newest = max((attempt for attempt, _ in folder.journals()), default=0)
    if meta["state"] not in ENDED or newest > meta["attempt"]:
        raise ArchiveError(f"{run} has not ended, and would start training here")
    if isinstance(spec, RunSpec) and spec.trial is not None and meta["study_end"] != "over":
        name = spec.trial.study.name
        raise ArchiveError(f"{run} is of the study {name}, which would go on here")
