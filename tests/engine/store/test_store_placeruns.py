"""The newest runs of a cell, whatever their state."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from live_runs import LiveStore

from engine.store.connect import connect_reader, connect_writer
from engine.store.database import write
from engine.store.placeruns import PlaceRun, newest_runs_of_place
from engine.store.requests import request_delete

PLACE = ("sasrec", "synthetic", 50)


def listed(store: LiveStore, limit: int = 9) -> list[PlaceRun]:
    with closing(connect_reader(store.location)) as connection:
        return newest_runs_of_place(connection, PLACE, limit)


def test_they_are_of_the_place_alone_and_the_last_queued_come_first(tmp_path: Path) -> None:
    store = LiveStore(tmp_path)
    runs = [store.launch("sasrec", seed=seed) for seed in (3, 1, 2)]
    store.launch("sasrec", length=75)
    store.launch("xlstm")
    store.train(runs[0], 2, end="done")
    found = listed(store)
    assert [run.id for run in found] == runs[::-1]
    assert [run.id for run in listed(store, 2)] == runs[:0:-1]
    assert [(run.state, run.score is None) for run in found] == [
        ("queued", True), ("queued", True), ("done", False),
    ]  # fmt: skip
    request_delete(store.location, runs[1:2])
    with closing(connect_writer(store.location)) as connection, write(connection):
        connection.execute("UPDATE runs SET origin = 'csv' WHERE id = ?", (runs[2],))
    assert [run.id for run in listed(store)] == runs[:1]


def test_a_run_whose_data_was_not_read_is_of_the_cell_that_it_will_be_of(tmp_path: Path) -> None:
    store = LiveStore(tmp_path)
    runs = [store.launch("sasrec", seed=seed) for seed in (1, 2)]
    assert {run.cell.checksum for run in listed(store)} == {""}
    store.train(runs[0], 2, end="done")
    with closing(connect_writer(store.location)) as connection, write(connection):
        connection.execute("UPDATE runs SET checksum = 'c' WHERE id = ?", (runs[0],))
    queued, done = listed(store)
    assert (queued.state, done.state) == ("queued", "done")
    assert queued.cell == done.cell
    assert done.cell.checksum == "c"
