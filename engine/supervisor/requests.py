"""Requests of users to the supervisor: cancel, retry, delete or move a run, pause the queue."""

from __future__ import annotations

import logging

from engine.errors import RunError
from engine.lifecycle import MOVES, allows
from engine.store import transitions
from engine.store.database import StoreConnection, write
from engine.store.intake.trash import save_before_deletion, throw_away
from engine.store.location import StoreLocation
from engine.store.order import move
from engine.store.transitions import Request

log = logging.getLogger("seqbench")


def answer(connection: StoreConnection, location: StoreLocation, request: Request) -> None:
    """Do what a request asks for and delete it; doing it twice is harmless."""
    if request.action in ("pause", "resume"):
        with write(connection):
            if request.action == "pause":
                transitions.hold(connection, "user", "Paused by hand: nothing is started.")
            else:
                transitions.release(connection)
            transitions.drop_request(connection, request)
        log.info("%s", request.action)
        return
    found = transitions.run_state(connection, request.run)
    state = found.state if found else None
    action = request.action if allows(state, request.action) else None
    live = any(live.run == request.run for live in transitions.live_attempts(connection))
    if action == "delete" and live:
        return  # its process is just ending; the next round finds it gone
    try:
        if action == "cancel" and state == "running":
            location.folder(request.run).cancel.touch()
        if action == "delete":
            _delete(connection, location, request)
            return
    except (OSError, RunError) as error:
        # Dropped all the same: one request that can't be done must not hold up the others.
        log.warning("%s %s: %s", request.action, request.run, error)
    with write(connection):
        if action == "cancel" and state != "running":
            transitions.cancel_queued(connection, request.run)
        elif action == "retry":
            transitions.retry(connection, request.run)
        elif action in MOVES:
            move(connection, request.run, action)
        transitions.drop_request(connection, request)
    log.info("%s %s (%s)", request.action, request.run, state)


def _delete(connection: StoreConnection, location: StoreLocation, request: Request) -> None:
    """Move a run's folder to the trash and delete its rows: killed in between, the request is
    there still, and what is left of it is done by the next supervisor."""
    save_before_deletion(connection, location, request.run)
    with write(connection):
        if not transitions.drop_request(connection, request):
            return  # taken back meanwhile
        transitions.delete_run(connection, request.run)
        throw_away(location, request.run, request.created)
    log.info("deleted %s", request.run)
