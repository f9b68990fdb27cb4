"""``python -m engine.supervisor --db PATH``: the supervisor, which works a queue until it is empty.

It alone starts workers and writes results. It can be killed at any moment: a decision is committed
before it is acted on, and the next supervisor finds the workers by their locks, their identities
and their journals.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import socket
import sys
import time
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from engine.config import Settings, load_settings
from engine.errors import ConfigError, StoreError
from engine.files.lock import take_lock, write_holder
from engine.files.regular import OWNER_ONLY
from engine.inbox import Bell
from engine.machine.slots import detect_slots
from engine.store.connect import connect_writer
from engine.store.database import StoreConnection, StoreDamagedError, is_current, write
from engine.store.intake.folders import sweep
from engine.store.intake.rebuild import rebuild
from engine.store.intake.trash import empty, kept_since, trashed_runs
from engine.store.location import StoreLocation, store_location
from engine.store.news import NotificationReader
from engine.store.transitions import beat, work_left
from engine.supervisor.launcher import Launcher, Pool
from engine.supervisor.pools import Pools
from engine.supervisor.queue import Queue
from engine.supervisor.resident import ResidentLauncher
from engine.supervisor.stop import Stop
from engine.supervisor.webhook import Webhook

TICK_SECONDS = 0.5
"""Most time between two rounds: a worker that is done with an attempt ends the pause."""
BEAT_SECONDS = 5.0
"""Time between two heartbeats in the store."""
LOCK_SECONDS = 1.0
"""Most time to wait for the lock of a supervisor that is just ending."""
MAX_LOG_BYTES = 1_000_000
"""Size of the log from which it is emptied at a start."""
STORE_PATIENCE_SECONDS = 3600.0
"""How long the store may be unusable before the supervisor gives up; workers continue."""
EMPTYING_SECONDS = 3600.0
"""Time between two looks for what has been long enough in the trash."""
GONE_SECONDS = 10.0
"""Time for putting back a store that was removed, or for removing the run folders, too."""

log = logging.getLogger("seqbench")


def main(arguments: list[str] | None = None, launcher: Launcher | None = None) -> int:
    """Work a store's queue and return the exit status.

    Args:
        arguments: the command line; by default that of the process.
        launcher: the launcher of this machine's runs.
    """
    parser = argparse.ArgumentParser(prog="python -m engine.supervisor")
    parser.add_argument("--db", type=Path, required=True)
    parser.add_argument("--config-dir", type=Path)
    options = parser.parse_args(arguments)
    os.umask(OWNER_ONLY)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(process)d %(message)s", stream=sys.stderr
    )
    location = store_location(options.db)
    stop = Stop()

    def ask_to_stop(*_: object) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, ask_to_stop)
    signal.signal(signal.SIGINT, ask_to_stop)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        location.runs.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings = _settings(options.config_dir)
        launcher = launcher or ResidentLauncher(settings.niceness)
        local = Pool(launcher, detect_slots(settings.slots))
        return serve(location, settings, stop, Pools(local, options.config_dir))
    except (StoreError, OSError) as error:
        log.error("%s", error)
        return 1


def serve(location: StoreLocation, settings: Settings, stop: Stop, pools: Pools) -> int:
    """Work the queue until it is idle, ``stop`` is set, or another supervisor has the lock.

    Returns:
        The exit status.

    Raises:
        StoreError: the store stayed unusable.
        OSError: its folder can't be used.
    """
    while True:
        lock = take_lock(location.supervisor_lock, LOCK_SECONDS)
        if lock is None:
            log.info("another supervisor works here")
            return 0
        try:
            about = {"pid": os.getpid(), "started": time.time(), "db": str(location.db)}
            write_holder(lock, about)
            _trim(location.supervisor_log)
            _work(location, Queue(location, settings, pools.current()), pools, stop, lock)
        finally:
            os.close(lock)
        # An enqueuer commits first and then tries the lock. A commit before this check is seen
        # here; after it the lock is free already, and the enqueuer starts a supervisor of its own.
        if stop.is_set() or not _has_work(location):
            log.info("ends")
            return 0


def _work(location: StoreLocation, queue: Queue, pools: Pools, stop: Stop, lock: int) -> None:
    """Work the queue while this process has the lock of the run folders."""
    sweep(location)
    log.info("works %s in %s", location.db, ", ".join(slot.name for slot in pools.local.slots))
    connection: StoreConnection | None = None
    was_there = adopted = False
    started = fine = busy = time.monotonic()
    next_beat = next_emptying = 0.0
    said = ""
    url, news = queue.settings.webhook, NotificationReader()
    webhook = Webhook(url, location) if url else None
    bell = Bell(location.runs)
    try:
        while not stop.is_set():
            now = time.monotonic()
            try:
                if not _still_ours(location, lock):
                    log.info("%s is gone or another's", location.runs)
                    return
                if connection is not None and not is_current(connection):
                    # Its file's number may be the next one's, from now on.
                    connection.close()
                    connection, was_there = None, True
                if connection is None:
                    connection = _open(location, now - fine, was_there=was_there)
                    adopted = False
                if not adopted:
                    queue.adopt(connection)
                    adopted = True
                    _report(connection, news, webhook)
                if now >= next_beat:
                    _beat(connection, queue, time.time() - (now - started))
                    next_beat = now + BEAT_SECONDS
                if now >= next_emptying:
                    next_emptying = now + EMPTYING_SECONDS
                    _empty_trash(location)
                queue.pools = pools.current()
                queue.tick(connection)
                _report(connection, news, webhook)
                fine, said = time.monotonic(), ""
                if work_left(connection):
                    busy = now
                elif now - busy >= queue.settings.idle_seconds:
                    return
            except (StoreError, OSError) as error:
                if str(error) != said:
                    log.warning("%s", error)
                said = str(error)
                if isinstance(error, StoreDamagedError):
                    _mend(location)
                elif now - fine > STORE_PATIENCE_SECONDS:
                    raise
            bell.wait(TICK_SECONDS, stop.wait)
    finally:
        bell.close()
        if connection is not None:
            connection.close()
        if webhook is not None:
            webhook.close()


def _report(connection: StoreConnection, news: NotificationReader, webhook: Webhook | None) -> None:
    """Post what ended since the last call."""
    if webhook is not None:
        for notification in news.look(connection):
            webhook.post(notification)


def _open(location: StoreLocation, waited: float, *, was_there: bool) -> StoreConnection:
    """Connect to the store, which is made if it is missing. One that was there before and is
    missing was removed; there is some time to put it back, or to delete everything.

    Args:
        waited: seconds since the store was last usable.
        was_there: whether it was open before.

    Raises:
        StoreError: the store is missing, and may still be put back.
    """
    if was_there and not location.db.exists() and waited < GONE_SECONDS:
        raise StoreError(f"{location.db} is gone: it will be rebuilt from the run folders.")
    connection = connect_writer(location)
    if was_there:
        log.info("%s was replaced", location.db)
    return connection


def _mend(location: StoreLocation) -> None:
    """Rebuild a damaged store from the run folders; the damaged file is kept beside it."""
    try:
        count = rebuild(location)
    except StoreError as error:
        log.warning("%s", error)
    else:
        log.warning("%s was rebuilt from %d run folders", location.db, count)


def _beat(connection: StoreConnection, queue: Queue, started: float) -> None:
    """Write a heartbeat with this machine's slots, for `engine.machine.occupancy.slots_of`.

    Args:
        started: when this supervisor started, in seconds since 1970.
    """
    slots = [asdict(slot) for slot in queue.pools[None].slots]
    for slot in slots:
        del slot["visible"]  # its name says so
    with write(connection):
        beat(connection, os.getpid(), socket.gethostname(), started, slots)


def _empty_trash(location: StoreLocation) -> None:
    """Remove for good what was deleted longer ago than it is kept."""
    oldest = kept_since()
    if any(each.when < oldest for each in trashed_runs(location)):
        try:
            runs, _ = empty(location, oldest)
        except StoreError as error:
            log.warning("%s", error)
        else:
            log.info("permanently removed deleted runs: %d", runs)


def _has_work(location: StoreLocation) -> bool:
    if not location.db.exists():
        return False
    with closing(connect_writer(location)) as connection:
        return work_left(connection)


def _still_ours(location: StoreLocation, lock: int) -> bool:
    """Whether the file whose lock is held is still the one that another supervisor would lock.

    Raises:
        OSError: it can't be looked at, as on a shared folder that is away for a moment.
    """
    try:
        return os.path.samestat(location.supervisor_lock.stat(), os.fstat(lock))
    except FileNotFoundError:
        return False


def _settings(config_dir: Path | None) -> Settings:
    """Read the settings; those that can't be read are replaced by the defaults."""
    try:
        return load_settings(config_dir)
    except ConfigError as error:
        log.warning("%s The defaults are used instead.", error)
        return Settings()


def _trim(path: Path) -> None:
    """Empty a log that has grown too long; to be called while the lock is held."""
    if path.exists() and path.stat().st_size > MAX_LOG_BYTES:
        os.truncate(path, 0)


if __name__ == "__main__":
    sys.exit(main())
