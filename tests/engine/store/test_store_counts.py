"""Runs by state, kept up to date by the store itself."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.lifecycle import STATES
from engine.spec import RunSpec
from engine.store import queries
from engine.store.connect import connect_reader, connect_writer
from engine.store.database import StoreConnection, write
from engine.store.location import StoreLocation
from engine.store.requests import enqueue
from engine.store.transitions import delete_run

Make = Callable[..., RunSpec]


def counted(con: StoreConnection) -> dict[str, int]:
    return dict(con.rows("SELECT state, count(*) FROM runs GROUP BY state"))


@given(
    steps=st.lists(st.tuples(st.integers(0, 5), st.sampled_from([*STATES, "deleted"])), max_size=20)
)
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_counts_are_what_counting_finds_whatever_becomes_of_runs(
    location: StoreLocation, make_spec: Make, steps: list[tuple[int, str]]
) -> None:
    ids = enqueue(location, [make_spec("sasrec", 50, seed) for seed in range(6)])
    with closing(connect_writer(location)) as con, write(con):
        for number, state in steps:
            if state == "deleted":
                delete_run(con, ids[number])
            else:
                con.execute("UPDATE runs SET state = ? WHERE id = ?", (state, ids[number]))
            assert queries.state_counts(con) == counted(con)
        for run in ids:
            delete_run(con, run)
        assert queries.state_counts(con) == {}


def test_a_store_of_before_is_counted_once(location: StoreLocation, make_spec: Make) -> None:
    ids = enqueue(location, [make_spec("sasrec", 50, seed) for seed in range(3)])
    with closing(connect_writer(location)) as con, write(con):
        con.execute("UPDATE runs SET state = 'done' WHERE id = ?", (ids[0],))
        for event in ("insert", "delete", "update"):
            con.execute(f"DROP TRIGGER runs_count_{event}")
        con.execute("DROP TABLE counts")
        con.execute("DELETE FROM _sqlite_migrations WHERE name = 'counts'")
        con.execute("PRAGMA user_version = 3")
    enqueue(location, [make_spec("sasrec", 50, 3)])
    with closing(connect_reader(location)) as con:
        assert queries.state_counts(con) == {"done": 1, "queued": 3}
