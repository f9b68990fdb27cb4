"""The trash: deleted runs, whose folders lie in ``runs/.trash/<time of deletion>/`` until they are
brought back or emptied out.

A folder is moved whole, within a write transaction of the store: killed at any moment, a process
leaves it in one of the two places, and doing the same again completes it.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from engine.errors import RunError, StoreError, UsageError, nearest
from engine.files.atomic import fsync_folder
from engine.runfolder import RunFolder, run_folder
from engine.store.connect import connect_reader
from engine.store.database import StoreConnection, fetch
from engine.store.intake.folders import discard_folder, load_meta, save_folder
from engine.store.intake.import_run import import_run
from engine.store.location import StoreLocation
from engine.store.queries import present_runs
from engine.store.requests import transact
from engine.store.settings import drop_unused_settings

KEPT_DAYS = 30
"""Days for which a deleted run is kept; after them a supervisor removes it permanently."""

_STAMP = "%Y%m%dT%H%M%S.%fZ"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the list of deleted runs shows of one; both empty if it can't be read."""

    state: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Deleted:
    """A deleted run.

    Attributes:
        folder: in the trash, or where it was as long as the supervisor is only asked to delete it.
        when: the time of the deletion, in seconds since 1970.
        known: what the store has of a run whose deletion is only asked for.
    """

    folder: RunFolder
    when: float
    known: Facts | None = None

    @property
    def run(self) -> str:
        return self.folder.run_id

    @property
    def facts(self) -> Facts:
        if self.known is not None:
            return self.known
        try:
            meta = load_meta(self.folder)
        except StoreError:
            return Facts()
        return Facts(str(meta["state"] or ""), str(meta["note"] or ""))

    @property
    def bytes(self) -> int:
        """What its files take on the disk, without those that have another name elsewhere."""
        found = 0
        for parent, _, names in os.walk(self.folder.path):
            for name in names:
                with suppress(OSError):
                    status = (Path(parent) / name).lstat()
                    found += status.st_blocks * 512 if status.st_nlink == 1 else 0
        return found


@dataclass(frozen=True, slots=True)
class BroughtBack:
    """The runs that are in the store again, and a sentence on each that isn't, or has an equal."""

    runs: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    deleted: float | None = None
    """When the last deletion was, if it was undone."""


def deleted_runs(location: StoreLocation) -> list[Deleted]:
    """List the deleted runs, the last deleted first: those in the trash, and those that the
    supervisor is only asked to delete."""
    return _newest_first([*_asked(location), *trashed_runs(location)])


def trashed_runs(location: StoreLocation) -> list[Deleted]:
    """List the runs in the trash, the last deleted first."""
    found = []
    for batch in _entries(location.trash):
        try:
            when = datetime.strptime(batch.name, _STAMP).replace(tzinfo=UTC).timestamp()
        except ValueError:
            continue
        for path in _entries(batch):
            with suppress(RunError):
                found.append(Deleted(run_folder(batch, path.name), when))
    return _newest_first(found)


def kept_since() -> float:
    """Return the time of the oldest deletion that is kept, in seconds since 1970."""
    return time.time() - KEPT_DAYS * 86_400


def find_deleted(location: StoreLocation, text: str) -> str:
    """Find the id of the one deleted run that is ``text``, or begins or ends with it.

    Raises:
        UsageError: there is none, or there are several.
    """
    wanted = text.strip().lower()
    ids = list(dict.fromkeys(each.run for each in deleted_runs(location)))
    for matches in (
        [run for run in ids if run == wanted],
        [run for run in ids if wanted and run.startswith(wanted)],
        [run for run in ids if wanted and run.endswith(wanted)],
    ):
        if len(matches) == 1:
            return matches[0]
        if matches:
            some = ", ".join(matches[:3]) + (", …" if len(matches) > 3 else "")
            raise UsageError(f"{text!r} could be several deleted runs: {some}")
    with suppress(RunError):
        if location.folder(wanted).spec.is_file():
            return wanted  # whether it was deleted `bring_back` says
    raise UsageError(f"There is no deleted run {text!r}: {_near(wanted, ids)}")


def save_before_deletion(connection: StoreConnection, location: StoreLocation, run: str) -> None:
    """Write to a run's folder what only the store knows, if anything.

    Raises:
        RunError: its id is no run's.
        OSError: it can't be written.
    """
    folder = location.folder(run)
    row = connection.row("SELECT revision > saved FROM runs WHERE id = ?", (run,))
    if row is not None and (row[0] or not folder.spec.exists()):
        with suppress(RunError):  # it has no configuration that could be written
            save_folder(connection, location, run)


def throw_away(location: StoreLocation, run: str, when: float) -> None:
    """Move a run's folder to the trash, unless that is done.

    Args:
        when: the time of the deletion, in seconds since 1970.

    Raises:
        OSError: it can't be moved.
    """
    folder, target = location.folder(run), _place_for(location, run, when)
    if not os.path.lexists(folder.path):
        return
    target.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if target.path.is_dir():
        # Its mover was killed; what was saved since made a folder again, with two files.
        folder.meta.replace(target.meta)
        shutil.rmtree(folder.path)
    else:
        _move(folder, target)


def bring_back(location: StoreLocation, runs: Iterable[str]) -> BroughtBack:
    """Put deleted runs into the store again, with all that they had.

    A run that the supervisor is only asked to delete stays.

    Raises:
        StoreError: the store can't be written.
    """
    thrown: dict[str, Deleted] = {}
    for each in trashed_runs(location):
        thrown.setdefault(each.run, each)
    back: list[str] = []
    problems: list[str] = []
    notes: list[str] = []
    for run in dict.fromkeys(runs):
        try:
            twins = transact(location, partial(_bring_back, location, run, thrown))
        except (UsageError, RunError) as error:
            problems.append(str(error))
        except OSError as error:
            problems.append(f"{run} can't be brought back: {error.strerror}.")
        else:
            back.append(run)
            notes += [f"{run} has the settings, data and seed of {twins[0]}."] if twins else []
    return BroughtBack(tuple(back), tuple(problems), tuple(notes))


def undo_deletion(location: StoreLocation) -> BroughtBack:
    """Bring back what was deleted last, in one go. Raises `StoreError`."""
    deletions = deleted_runs(location)
    if not deletions:
        return BroughtBack()
    last = deletions[0].when
    # The time in a folder's name has fewer digits than that of a request.
    runs = [each.run for each in deletions if _stamp(each.when) == _stamp(last)]
    return replace(bring_back(location, runs), deleted=last)


def empty(location: StoreLocation, before: float) -> tuple[int, int]:
    """Remove for good what was deleted before a time, and settings that no run in the store has.

    Returns:
        How many runs were removed, and how many bytes they took.

    Raises:
        StoreError: something can't be removed.
    """
    runs = freed = 0
    for each in trashed_runs(location):
        if each.when >= before:
            continue
        size = each.bytes
        try:
            discard_folder(location, each.folder.path)
        except FileNotFoundError:  # brought back meanwhile
            continue
        except OSError as error:
            raise StoreError(f"{each.folder.path} can't be removed: {error.strerror}.") from None
        runs, freed = runs + 1, freed + size
        _drop_if_empty(each.folder)
    if location.db.exists():
        transact(location, drop_unused_settings)
    return runs, freed


def _bring_back(
    location: StoreLocation, run: str, thrown: dict[str, Deleted], connection: StoreConnection
) -> list[str]:
    """Bring one run back, inside a write transaction; return the ids of its equals.

    Raises:
        UsageError: it isn't deleted, or its place is taken.
        RunError: its files can't be read.
        OSError: they can't be moved.
    """
    place, found = location.folder(run), thrown.get(run)
    known = connection.row("SELECT 1 FROM runs WHERE id = ?", (run,)) is not None
    asked = connection.rows(
        "SELECT created FROM requests WHERE action = 'delete' AND run = ?", (run,)
    )
    if known and asked:
        connection.execute("DELETE FROM requests WHERE action = 'delete' AND run = ?", (run,))
        for (created,) in asked:
            moved = _place_for(location, run, created)
            if moved.path.is_dir():  # by a supervisor that was killed before it said so
                throw_away(location, run, created)
                _move(moved, place)
        return []
    taken = known or place.path.exists()
    if found is not None and taken:
        raise UsageError(
            f"There is another run {run} by now (imported again, say): the deleted one stays in "
            f"the "
            f"trash."
        )
    if known:
        raise UsageError(f"{run} isn't deleted.")
    # Without an entry: the process that brought it back was killed before the store knew.
    source = found.folder if found is not None else place
    if not source.path.is_dir():
        raise UsageError(f"There is no deleted run {run!r}: {_near(run, thrown)}")
    if not import_run(connection, source):
        raise RunError(f"{run} can't be brought back: {source.spec} can't be read.")
    if found is not None:
        _move(source, place)
        _drop_if_empty(source)
    row = connection.row("SELECT fingerprint FROM runs WHERE id = ?", (run,))
    assert row is not None
    return [twin.id for twin in present_runs(connection, row[0]) if twin.id != run]


def _asked(location: StoreLocation) -> list[Deleted]:
    """List the runs that the supervisor is asked to delete."""
    if not location.db.exists():
        return []
    with closing(connect_reader(location)) as connection:
        rows = fetch(
            connection,
            "SELECT run, requests.created, state, note FROM requests JOIN runs ON runs.id = run"
            " WHERE action = 'delete'",
        )
    return [
        Deleted(location.folder(run), asked, Facts(state, note or ""))
        for run, asked, state, note in rows
    ]


def _newest_first(found: list[Deleted]) -> list[Deleted]:
    return sorted(found, key=lambda each: (-each.when, each.run))


def _near(text: str, ids: Iterable[str]) -> str:
    near = nearest(text, ids)
    return f"did you mean {near!r}?" if near else "`seqbench undelete` lists them."


def _stamp(when: float) -> str:
    return datetime.fromtimestamp(when, UTC).strftime(_STAMP)


def _place_for(location: StoreLocation, run: str, when: float) -> RunFolder:
    return run_folder(location.trash / _stamp(when), run)


def _move(folder: RunFolder, target: RunFolder) -> None:
    folder.path.rename(target.path)
    for parent in {folder.path.parent, target.path.parent, target.path.parent.parent}:
        fsync_folder(parent)


def _drop_if_empty(folder: RunFolder) -> None:
    with suppress(OSError):
        folder.path.parent.rmdir()


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
