"""The parts of the benchmark of load, on a small store and for a moment."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.bigstore import EPOCHS, make_store
from benchmarks.lab import (
    cpu_share,
    read_marks,
    reporting,
    set_pace,
    supervised,
    wait_for,
    watched_app,
)
from benchmarks.load import delays, hour, percentile, watch_live
from engine.process import is_alive
from engine.store import queries, series
from engine.store.compare.comparison import comparison
from engine.store.connect import connect_reader, connect_writer
from engine.store.location import StoreLocation
from engine.store.transitions import live_attempts
from engine.supervisor.start import supervisor_running

QUEUED, FINISHED, SLOTS = 30, 200, 2


@pytest.fixture(scope="module")
def small_store(tmp_path_factory: pytest.TempPathFactory) -> StoreLocation:
    location = StoreLocation(tmp_path_factory.mktemp("lab") / "runs.db")
    make_store(location, QUEUED, FINISHED)
    return location


def test_a_store_of_any_size_holds_runs_that_agree_with_themselves(tmp_path: Path) -> None:
    location = StoreLocation(tmp_path / "runs.db")
    make_store(location, queued=25, finished=120)
    with closing(connect_reader(location)) as con:
        runs = queries.list_runs(con)
        assert len({run.id for run in runs}) == len(runs) == 145
        assert Counter(run.state for run in runs)["queued"] == 25
        assert len({run.position for run in runs}) == 145
        done = [run for run in runs if run.state == "done"]
        assert len({run.best_valid_ndcg for run in done}) == len(done)
        for run in done[:5] + done[-5:]:
            epochs = series.epochs(con, run.id)
            assert len(epochs) == EPOCHS
            assert run.best_valid_ndcg == pytest.approx(max(e["valid_ndcg"] for e in epochs))
            assert queries.run_spec(con, run.id).seed == run.seed
            best = comparison(con, ["valid_ndcg_max"], "valid_ndcg_max", True, f"id:{run.id}")
            assert best == [(pytest.approx(run.best_valid_ndcg),)]


@pytest.mark.parametrize(("queued", "finished"), [(0, 0), (1, 0), (0, 1), (3, 7)])
def test_a_store_can_be_smaller_than_one_run_of_each_kind(
    tmp_path: Path, queued: int, finished: int
) -> None:
    location = StoreLocation(tmp_path / "runs.db")
    make_store(location, queued, finished)
    with closing(connect_reader(location)) as con:
        states = Counter(run.state == "queued" for run in queries.list_runs(con))
    assert (states[True], states[False]) == (queued, finished)


@pytest.mark.slow
def test_lines_are_written_taken_in_and_painted(small_store: StoreLocation, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    with supervised(small_store, SLOTS) as supervisor:
        assert reporting(small_store) == SLOTS
        assert 0 <= cpu_share(supervisor, 0.2) < 1
        with watched_app(small_store, marks) as terminal:
            set_pace(small_store, "steady 20")
            watch_live(terminal, marks)
            began = read_marks(marks)[-1]["t"]
            wait_for(lambda: read_marks(marks)[-1]["t"] > began + 1, "a second of paints")
            found = delays(small_store, marks, began, began + 1)
            assert len(found) > 5
            assert min(found) >= 0
            processes = {"supervisor": supervisor, "app": terminal.process}
            _, memory = hour(small_store, processes, SLOTS, 500)
            assert all(len(stages) == 4 and min(stages) > 0 for stages in memory.values())
        with closing(connect_writer(small_store)) as con:
            workers = [live.identity for live in live_attempts(con)]
    assert not supervisor_running(small_store)
    assert not any(worker and is_alive(worker) for worker in workers)


def test_a_percentile_is_one_of_the_values() -> None:
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile([3.0, 1.0, 2.0], 0.95) == 3.0
