"""The order of the queue: runs pass one another, and what doesn't wait keeps its place."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.lifecycle import Move
from engine.spec import RunSpec
from engine.store import queries, transitions
from engine.store.connect import connect_reader
from engine.store.database import StoreConnection, write
from engine.store.intake.folders import load_meta, save_unsaved
from engine.store.intake.rebuild import rebuild
from engine.store.location import StoreLocation
from engine.store.order import move
from engine.store.requests import enqueue, request_move

MakeSpec = Callable[..., RunSpec]


def order(writer: StoreConnection, ids: list[str]) -> str:
    """The waiting runs as the letters that they were given."""
    return "".join("abcdefgh"[ids.index(run.id)] for run in queries.waiting(writer))


@pytest.mark.parametrize(
    ("letter", "where", "after"),
    [
        ("c", "up", "acbd"),
        ("c", "down", "abdc"),
        ("c", "first", "cabd"),
        ("b", "last", "acdb"),
        ("a", "up", "abcd"),
        ("d", "down", "abcd"),
        ("a", "first", "abcd"),
        ("d", "last", "abcd"),
    ],
)
def test_a_run_changes_its_place(
    location: StoreLocation,
    writer: StoreConnection,
    make_spec: MakeSpec,
    letter: str,
    where: Move,
    after: str,
) -> None:
    ids = enqueue(location, [make_spec(seed=seed) for seed in range(4)])
    with write(writer):
        move(writer, ids["abcd".index(letter)], where)
    assert order(writer, ids) == after
    assert transitions.next_queued(writer, None) == ids["abcd".index(after[0])]


@pytest.mark.parametrize(
    ("where", "after"), [("first", "bdac"), ("last", "acbd"), ("up", "badc"), ("down", "acbd")]
)
def test_several_keep_their_order(
    location: StoreLocation,
    writer: StoreConnection,
    make_spec: MakeSpec,
    where: Move,
    after: str,
) -> None:
    ids = enqueue(location, [make_spec(seed=seed) for seed in range(4)])
    request_move(location, [ids[1], ids[3]], where)
    for request in transitions.requests(writer):
        with write(writer):
            move(writer, request.run, request.action)
    assert order(writer, ids) == after


def test_what_does_not_wait_is_left_alone(
    location: StoreLocation, writer: StoreConnection, make_spec: MakeSpec
) -> None:
    ids = enqueue(location, [make_spec(seed=seed) for seed in range(3)])
    with write(writer):
        transitions.begin_attempt(writer, ids[0], "cpu/0", "here")
    before = [tuple(row) for row in writer.rows("SELECT id, position FROM runs ORDER BY id")]
    with write(writer):
        for run in (ids[0], "no-such-run"):
            for where in ("first", "up", "down", "last"):
                move(writer, run, where)
        move(writer, ids[1], "up")  # what runs isn't before it in the queue
    after = [tuple(row) for row in writer.rows("SELECT id, position FROM runs ORDER BY id")]
    assert after == before


def test_the_order_outlives_the_index(
    location: StoreLocation, writer: StoreConnection, make_spec: MakeSpec
) -> None:
    ids = enqueue(location, [make_spec(seed=seed) for seed in range(3)])
    with write(writer):
        move(writer, ids[2], "first")
    save_unsaved(writer, location)
    assert load_meta(location.folder(ids[2]))["position"] < 1
    writer.close()
    rebuild(location)
    with closing(connect_reader(location)) as connection:
        assert [run.id for run in queries.waiting(connection)] == [ids[2], ids[0], ids[1]]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.integers(-2, 3), min_size=5, max_size=5),
    st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["first", "up", "down", "last"]))),
)
def test_any_places_and_any_moves_give_what_a_list_would(
    location: StoreLocation,
    writer: StoreConnection,
    make_spec: MakeSpec,
    places: list[int],
    moves: list[tuple[int, str]],
) -> None:
    with write(writer):
        for run in queries.list_runs(writer):
            transitions.delete_run(writer, run.id)
    ids = enqueue(location, [make_spec(seed=seed) for seed in range(5)])
    with write(writer):
        writer.executemany(
            "UPDATE runs SET position = ? WHERE id = ?", list(zip(places, ids, strict=True))
        )
        expected = [run.id for run in queries.waiting(writer)]
        for number, where in moves:
            run = ids[number]
            move(writer, run, where)
            at = expected.index(run)
            expected.remove(run)
            to = {"first": 0, "up": max(at - 1, 0), "down": at + 1, "last": len(expected)}[where]
            expected.insert(to, run)
        assert [run.id for run in queries.waiting(writer)] == expected
