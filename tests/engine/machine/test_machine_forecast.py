"""When the queue ends: from what like runs took here, over the slots of this machine."""

from __future__ import annotations

import json
import socket
from contextlib import closing
from pathlib import Path

import pytest
from measured_runs import MeasuredStore, T

from engine.machine.estimates import CostEstimate, cost_key
from engine.machine.forecast import KEPT_SECONDS, Forecast, QueueEnd
from engine.machine.together import slowdown
from engine.store import queries
from engine.store.compare.comparison import runs_by_id
from engine.store.connect import connect_writer
from engine.store.costs.past import LATEST
from engine.store.database import write

HOST = "bench"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MeasuredStore:
    monkeypatch.setattr(socket, "gethostname", lambda: HOST)
    return MeasuredStore(tmp_path)


def work(store: MeasuredStore, slots: int, host: str = HOST, device: str = "cpu") -> None:
    """Let a supervisor say that it works the queue, on the CPU or on one GPU."""
    said = [
        {"name": f"{device}/{n}", "device": device, "title": "A", "threads": 2, "processes": 1}
        for n in range(slots)
    ]
    with closing(connect_writer(store.location)) as con, write(con):
        con.execute(
            "INSERT OR REPLACE INTO supervisor (id, pid, host, started, heartbeat, slots)"
            " VALUES (1, 1, ?, ?, ?, ?)",
            (host, T, T, json.dumps(said)),
        )


def took(store: MeasuredStore, run: str) -> float:
    """Seconds that a run took, as every table says."""
    with closing(connect_writer(store.location)) as con:
        [[seconds]] = runs_by_id(con, ["total_seconds"], [run])
    return float(str(seconds))


def look(store: MeasuredStore, forecast: Forecast, now: float = T) -> QueueEnd | None:
    with closing(connect_writer(store.location)) as con:
        return forecast.look(con, queries.running(con), queries.waiting(con), now)


def test_queued_runs_take_what_like_ones_took_in_each_slot(store: MeasuredStore) -> None:
    whole = took(store, store.add("sasrec", seed=1))
    for seed in (2, 3, 4):
        store.add("sasrec", seed=seed, epochs=0)
    work(store, slots=1)
    assert look(store, Forecast()) == QueueEnd(pytest.approx(3 * whole), at_most=False, unknown=0)
    work(store, slots=2)
    assert look(store, Forecast()) == QueueEnd(pytest.approx(2 * whole), at_most=False, unknown=0)


def test_a_long_queue_is_foretold_too(store: MeasuredStore) -> None:
    whole = took(store, store.add("sasrec", seed=1))
    for seed in range(2, LATEST + 3):
        store.add("sasrec", seed=seed, epochs=0)
    work(store, slots=1)
    end = look(store, Forecast())
    assert end == QueueEnd(pytest.approx((LATEST + 1) * whole), at_most=False, unknown=0)


def test_what_nothing_tells_of_is_counted_and_left_out(store: MeasuredStore) -> None:
    whole = took(store, store.add("sasrec", seed=1))
    store.add("sasrec", seed=2, epochs=0)
    store.add("bert4rec", epochs=0)
    work(store, slots=1)
    assert look(store, Forecast()) == QueueEnd(whole, at_most=False, unknown=1)


def test_what_was_measured_counts_where_no_run_was_like_it(store: MeasuredStore) -> None:
    whole = took(store, store.add("sasrec", seed=1))
    store.add("sasrec", seed=2, epochs=0)
    waiting = store.add("bert4rec", epochs=0)
    work(store, slots=1)
    with closing(connect_writer(store.location)) as con:
        specs = [queries.run_spec(con, run.id) for run in queries.waiting(con)]
        run = queries.get_run(con, waiting)
    assert run is not None
    assert run.epochs
    measured = {cost_key(spec): CostEstimate("measured", 7.0, None, None) for spec in specs}
    end = look(store, Forecast(measured))
    assert end is not None
    assert (end.at_most, end.unknown) == (True, 0)
    assert end.seconds > 7 * run.epochs
    assert end.seconds < 7 * run.epochs + 100 * whole, "the other is known from the past"


def test_a_training_run_is_expected_to_take_the_rest(store: MeasuredStore) -> None:
    whole = took(store, store.add("sasrec", seed=1))
    run = store.add("sasrec", seed=2, epochs=2, end=None)
    store.set(run, started=T - 4)
    work(store, slots=1)
    assert look(store, Forecast()) == QueueEnd(whole - 4, at_most=False, unknown=0)
    assert look(store, Forecast(), T + 600) == QueueEnd(0, at_most=False, unknown=0)


def test_where_none_has_ended_the_limit_of_epochs_bounds_it(store: MeasuredStore) -> None:
    running = store.add("sasrec", seed=1, epochs=5, end=None)
    store.add("sasrec", seed=2, epochs=0)
    work(store, slots=1)
    end = look(store, Forecast())
    with closing(connect_writer(store.location)) as con:
        run = queries.get_run(con, running)
    assert run is not None
    assert run.eta_seconds
    assert end is not None
    assert end.at_most
    assert end.unknown == 0
    assert end.seconds > 1.9 * run.eta_seconds, "the second has all of its epochs before it"


def test_runs_that_will_share_a_gpu_gain_only_what_packing_gives(store: MeasuredStore) -> None:
    waiting = [store.add("sasrec", seed=seed, epochs=0) for seed in (1, 2)]
    work(store, slots=8, device="cuda")
    with closing(connect_writer(store.location)) as con:
        spec = queries.run_spec(con, waiting[0])
    measured = {cost_key(spec): CostEstimate("measured", 7.0, None, None)}
    alone = 7.0 * spec.training.epochs
    end = look(store, Forecast(measured))
    assert end == QueueEnd(pytest.approx(slowdown(2) * alone), at_most=True, unknown=0)
    assert alone < slowdown(2) * alone < 2 * alone


def test_the_pace_of_runs_that_share_a_gpu_is_what_they_have_beside_each_other(
    store: MeasuredStore,
) -> None:
    runs = [store.add("sasrec", seed=seed, epochs=5, end=None) for seed in (1, 2)]
    work(store, slots=8, device="cuda")
    with closing(connect_writer(store.location)) as con:
        seen = [queries.get_run(con, run) for run in runs]
    longest = max(run.eta_seconds or 0.0 for run in seen if run is not None)
    end = look(store, Forecast())
    assert end is not None
    assert longest * 0.9 < end.seconds <= longest * (1 + 1e-9), "no more, once one has ended"


def test_nothing_is_foretold_without_a_supervisor_here(store: MeasuredStore) -> None:
    store.add("sasrec", seed=1)
    store.add("sasrec", seed=2, epochs=0)
    assert look(store, Forecast()) is None
    work(store, slots=1, host="elsewhere")
    assert look(store, Forecast()) is None
    work(store, slots=0)
    assert look(store, Forecast()) is None


def test_a_run_on_a_cluster_is_not_counted(store: MeasuredStore) -> None:
    whole = took(store, store.add("sasrec", seed=1))
    store.add("sasrec", seed=2, epochs=0)
    store.set(store.add("sasrec", seed=3, epochs=0), launcher="cluster")
    work(store, slots=1)
    assert look(store, Forecast()) == QueueEnd(whole, at_most=False, unknown=1)


def test_estimates_are_kept_for_a_while_and_made_for_what_is_new(store: MeasuredStore) -> None:
    store.add("sasrec", seed=2, epochs=0)
    work(store, slots=1)
    forecast = Forecast()
    assert look(store, forecast) is None
    whole = took(store, store.add("sasrec", seed=1))
    assert look(store, forecast, T + 1) is None
    longer = took(store, store.add("sasrec", length=75, seed=1))
    store.add("sasrec", length=75, seed=2, epochs=0)
    assert look(store, forecast, T + 2) == QueueEnd(longer, at_most=False, unknown=1)
    end = look(store, forecast, T + 2 + KEPT_SECONDS)
    assert end == QueueEnd(pytest.approx(whole + longer), at_most=False, unknown=0)
