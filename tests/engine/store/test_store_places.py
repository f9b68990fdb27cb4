"""The newest runs of a cell, whatever their state."""

from __future__ import annotations

from collections.abc import Callable

from engine.runfolder import RunFolder
from engine.store.database import StoreConnection, write
from engine.store.location import StoreLocation
from engine.store.places import newest_runs_of_place
from engine.store.requests import request_delete

AddRun = Callable[..., RunFolder]
PLACE = ("sasrec", "synthetic", 50)


def test_they_are_of_the_place_alone_and_the_last_queued_come_first(
    location: StoreLocation, writer: StoreConnection, add_run: AddRun
) -> None:
    runs = [add_run(seed=seed).run_id for seed in (3, 1, 2)]
    add_run(length=75)
    add_run(model="xlstm")
    with write(writer):
        for n, run in enumerate(runs):
            writer.execute("UPDATE runs SET created = ? WHERE id = ?", (float(n), run))
        writer.execute(
            "UPDATE runs SET state = 'done', started = 5, finished = 9 WHERE id = ?", (runs[0],)
        )
        writer.execute("UPDATE summaries SET test_ndcg_best = 0.5 WHERE run = ?", (runs[0],))
    found = newest_runs_of_place(writer, PLACE, 9)
    assert [(run.id, run.state, run.seed, run.score, run.when) for run in found] == [
        (runs[2], "queued", 2, None, 2.0),
        (runs[1], "queued", 1, None, 1.0),
        (runs[0], "done", 3, 0.5, 9.0),
    ]
    assert newest_runs_of_place(writer, PLACE, 2) == found[:2]
    request_delete(location, runs[1:2])
    with write(writer):
        writer.execute("UPDATE runs SET origin = 'csv' WHERE id = ?", (runs[2],))
    assert newest_runs_of_place(writer, PLACE, 9) == found[2:]


def test_a_run_whose_data_was_not_read_is_of_the_cell_that_it_will_be_of(
    writer: StoreConnection, add_run: AddRun
) -> None:
    runs = [add_run(seed=seed).run_id for seed in (1, 2)]
    assert {run.cell.checksum for run in newest_runs_of_place(writer, PLACE, 9)} == {""}
    with write(writer):
        writer.execute("UPDATE runs SET checksum = 'c' WHERE id = ?", (runs[0],))
    first, second = newest_runs_of_place(writer, PLACE, 9)
    assert first.cell == second.cell
    assert first.cell.checksum == "c"
