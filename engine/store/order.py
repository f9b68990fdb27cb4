"""The order of the queue, which users change. To be called inside a write transaction."""

from __future__ import annotations

from engine.lifecycle import WAITING
from engine.lifecycle import sql as states_sql
from engine.store.database import StoreConnection


def move(connection: StoreConnection, run: str, where: str) -> None:
    """Change a waiting run's place in the queue: ``first``, ``last``, or ``up`` or ``down`` by one.
    Any other run, and one that is there already, is left alone."""
    forward = where in ("first", "up")
    neighbor = _neighbor(connection, run, forward)
    if neighbor is None:
        return
    if where in ("first", "last"):
        place = "min(position) - 1" if forward else "max(position) + 1"
        connection.execute(
            f"UPDATE runs SET position = (SELECT {place} FROM runs WHERE {_WAITS}) WHERE id = ?",  # noqa: S608
            (run,),
        )
        return
    if _shared_places(connection):
        _number_anew(connection)
    places = [(_position(connection, neighbor), run), (_position(connection, run), neighbor)]
    connection.executemany("UPDATE runs SET position = ? WHERE id = ?", places)


_WAITS = f"state IN {states_sql(WAITING)}"


def _neighbor(connection: StoreConnection, run: str, before: bool) -> str | None:
    """Find the waiting run just before a waiting one, or after it."""
    sign, order = ("<", "DESC") if before else (">", "ASC")
    row = connection.row(
        f"SELECT id FROM runs WHERE {_WAITS} AND (position, id) {sign}"  # noqa: S608
        f" (SELECT position, id FROM runs WHERE id = ? AND {_WAITS})"
        f" ORDER BY position {order}, id {order} LIMIT 1",
        (run,),
    )
    return None if row is None else str(row[0])


def _position(connection: StoreConnection, run: str) -> int:
    return int(connection.rows("SELECT position FROM runs WHERE id = ?", (run,))[0][0])


def _shared_places(connection: StoreConnection) -> bool:
    """Return whether two waiting runs have one position, as after damage to run folders."""
    sql = f"SELECT 1 FROM runs WHERE {_WAITS} GROUP BY position HAVING count(*) > 1 LIMIT 1"  # noqa: S608
    return connection.row(sql) is not None


def _number_anew(connection: StoreConnection) -> None:
    """Give every waiting run a place of its own, in the present order."""
    rows = connection.rows(f"SELECT id FROM runs WHERE {_WAITS} ORDER BY position, id")  # noqa: S608
    places = [(place, row[0]) for place, row in enumerate(rows, 1)]
    connection.executemany("UPDATE runs SET position = ? WHERE id = ?", places)
