from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

import pytest

from engine.errors import UsageError
from engine.spec import RunSpec, parameter_count
from engine.store import queries
from engine.store.connect import connect_reader
from engine.store.location import StoreLocation
from engine.store.requests import (
    enqueue,
    enqueue_planned,
    request_cancel,
    request_delete,
    request_retry,
    set_note,
)


def test_enqueue_makes_the_store_and_keeps_the_order(
    location: StoreLocation, make_spec: Callable[..., RunSpec]
) -> None:
    specs = [make_spec(seed=seed, length=75) for seed in (3, 1, 2)]
    ids = enqueue(location, specs, suite="mine")
    ids += enqueue(location, [make_spec("bert4rec")])
    assert len(set(ids)) == 4
    assert re.fullmatch(r"sasrec-synthetic-l75-s3-[a-z2-7]{5}", ids[0])
    with closing(connect_reader(location)) as con:
        runs = queries.queue(con)
        assert [run.id for run in runs] == ids
        first = runs[0]
        assert (first.suite, runs[3].suite) == ("mine", None)
        assert (first.state, first.attempt, first.note) == ("queued", 1, "")
        assert first.parameters == parameter_count(specs[0])
        assert first.epochs == specs[0].training.epochs
        assert first.fingerprint == specs[0].fingerprint()
        assert queries.run_spec(con, ids[0]) == specs[0]
        assert first.fingerprint in queries.present_fingerprints(con)


@dataclass(frozen=True)
class Planned:
    spec: RunSpec
    fingerprint: str
    parameters: int = 1


def test_what_others_queued_since_it_was_planned_is_queued_again_only_if_asked(
    location: StoreLocation, make_spec: Callable[..., RunSpec]
) -> None:
    one, two = (Planned(spec, spec.fingerprint()) for spec in (make_spec(), make_spec(seed=2)))
    first = enqueue_planned(location, [one], again=False)
    (second,) = enqueue_planned(location, [one, two], again=False)
    assert enqueue_planned(location, [one, two], again=False) == []
    assert len(enqueue_planned(location, [one, two])) == 2
    with closing(connect_reader(location)) as con:
        assert [run.id for run in queries.queue(con)][:2] == [*first, second]
        assert queries.state_counts(con) == {"queued": 4}


def test_requests_are_kept_in_order_and_once_a_run(
    location: StoreLocation, make_spec: Callable[..., RunSpec]
) -> None:
    one, two = enqueue(location, [make_spec(seed=1), make_spec(seed=2)])
    request_cancel(location, [two, one, two])
    request_retry(location, [one])
    request_delete(location, [two])
    with closing(connect_reader(location)) as con:
        rows = con.rows("SELECT action, run FROM requests ORDER BY id")
    wanted = [("cancel", two), ("cancel", one), ("retry", one), ("delete", two)]
    assert [tuple(row) for row in rows] == wanted


def test_an_unknown_run_is_named_with_the_nearest_and_nothing_is_written(
    location: StoreLocation, make_spec: Callable[..., RunSpec]
) -> None:
    (run,) = enqueue(location, [make_spec()])
    with pytest.raises(UsageError, match=f"did you mean '{run}'"):
        request_cancel(location, [run, run[:-1]])
    with pytest.raises(UsageError, match="no run"):
        set_note(location, "nothing", "x")
    with closing(connect_reader(location)) as con:
        assert con.rows("SELECT * FROM requests") == []


def test_a_note_is_kept_as_it_is(
    location: StoreLocation, make_spec: Callable[..., RunSpec]
) -> None:
    (run,) = enqueue(location, [make_spec()])
    set_note(location, run, "[bold]größer'; DROP TABLE runs; --\n\ud800")
    with closing(connect_reader(location)) as con:
        found = queries.get_run(con, run)
    assert found is not None
    assert found.note == "[bold]größer'; DROP TABLE runs; --\n?"
    with pytest.raises(UsageError, match="too long"):
        set_note(location, run, "x" * 10_001)
