"""Which run is in which slot."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from engine.store.database import fetch
from engine.store.queries import Run, running


@dataclass(frozen=True, slots=True)
class Occupant:
    """A run in training, with the slot, process and host of its attempt."""

    run: Run
    slot: str | None
    pid: int | None
    host: str | None


def occupants(con: sqlite3.Connection) -> list[Occupant]:
    """List the runs in training, the oldest start first."""
    rows = fetch(con, "SELECT run, slot, pid, host FROM attempts WHERE exited IS NULL")
    places = {run: (slot, pid, host) for run, slot, pid, host in rows}
    return [Occupant(run, *places.get(run.id, (None, None, None))) for run in running(con)]
