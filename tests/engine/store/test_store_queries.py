from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import UsageError
from engine.spec import RunSpec
from engine.spread import Spread
from engine.store import queries
from engine.store.compare.comparison import comparison, comparison_columns, comparison_count
from engine.store.connect import connect_writer
from engine.store.database import StoreConnection
from engine.store.location import StoreLocation, store_location
from engine.store.places import launch_cells
from engine.store.requests import enqueue

Make = Callable[..., RunSpec]


@pytest.fixture
def twelve(location: StoreLocation, writer: StoreConnection, make_spec: Make) -> list[str]:
    """Twelve runs in three cells: four done, two running, one failed, five queued."""
    specs = [
        make_spec(model, length, seed)
        for model, length in (("sasrec", 50), ("sasrec", 75), ("xlstm", 50))
        for seed in range(4)
    ]
    ids = enqueue(location, specs)
    states = ["done"] * 4 + ["running"] * 2 + ["failed"] + ["queued"] * 5
    for index, (run, state) in enumerate(zip(ids, states, strict=True)):
        ended = 100.0 + index if state in ("done", "failed") else None
        writer.execute(
            "UPDATE runs SET state = ?, created = ?, finished = ?, epoch_seconds = ? WHERE id = ?",
            (state, 10.0 + index, ended, float(index) if state == "done" else None, run),
        )
        if state == "done":
            writer.execute(
                "UPDATE runs SET best_test_ndcg = ?, best_epoch = ? WHERE id = ?",
                (index / 10, index, run),
            )
            writer.execute(
                "UPDATE summaries SET test_ndcg_best = ? WHERE run = ?", (index / 10, run)
            )
    return ids


def test_the_queue_is_running_then_queued_then_ended(
    writer: StoreConnection, twelve: list[str]
) -> None:
    writer.execute("UPDATE runs SET position = -1 WHERE id = ?", (twelve[9],))
    wanted = [*twelve[4:6], twelve[9], *twelve[7:9], *twelve[10:], *reversed(twelve[:4])]
    wanted.insert(-4, twelve[6])
    assert [run.id for run in queries.queue(writer)] == wanted


def test_the_mark_of_what_waits_tells_every_change_of_it(
    writer: StoreConnection, twelve: list[str]
) -> None:
    changes = [
        ("UPDATE runs SET state = 'cancelled', finished = 1 WHERE id = ?", twelve[9]),
        ("UPDATE runs SET position = 13 WHERE id = ?", twelve[10]),
        # Two change places.
        ("UPDATE runs SET position = 17 - position WHERE id IN (?, ?)", *twelve[7:9]),
        ("UPDATE runs SET state = 'queued', finished = NULL WHERE id = ?", twelve[0]),
        ("UPDATE runs SET state = 'running' WHERE state = 'queued' OR id = ?", ""),
    ]
    assert [run.position for run in queries.waiting(writer)] == [8, 9, 10, 11, 12]
    marks = [queries.waiting_mark(writer)]
    for sql, *values in changes:
        before = [(run.id, run.state) for run in queries.waiting(writer)]
        writer.execute(sql, values)
        assert [(run.id, run.state) for run in queries.waiting(writer)] != before
        marks.append(queries.waiting_mark(writer))
    assert len(set(marks)) == len(marks)


def test_the_mark_of_what_waits_stays_while_others_train(
    writer: StoreConnection, twelve: list[str]
) -> None:
    mark = queries.waiting_mark(writer)
    writer.execute("UPDATE runs SET step = 7 WHERE id = ?", (twelve[4],))
    writer.execute("UPDATE runs SET state = 'done', finished = 9 WHERE id = ?", (twelve[5],))
    assert queries.waiting_mark(writer) == mark


def test_runs_are_listed_newest_first(writer: StoreConnection, twelve: list[str]) -> None:
    assert [run.id for run in queries.list_runs(writer)] == twelve[::-1]
    assert [run.id for run in queries.list_runs(writer, limit=2)] == twelve[:-3:-1]
    chosen = queries.list_runs(writer, ["failed", "running"])
    assert [run.id for run in chosen] == [twelve[6], twelve[5], twelve[4]]
    assert queries.list_runs(writer, []) == []


def test_cells_count_states_and_average_the_done(
    writer: StoreConnection, twelve: list[str]
) -> None:
    cells = launch_cells(writer)
    assert {key: cell.counts for key, cell in cells.items()} == {
        ("sasrec", "synthetic", 50): {"done": 4},
        ("sasrec", "synthetic", 75): {"running": 2, "failed": 1, "queued": 1},
        ("xlstm", "synthetic", 50): {"queued": 4},
    }
    assert cells["sasrec", "synthetic", 50].score == Spread(
        pytest.approx(0.15), pytest.approx(0.1 * (5 / 3) ** 0.5), 4
    )
    assert cells["xlstm", "synthetic", 50].score is None


def test_a_run_is_found_by_a_part_that_names_it_alone(
    writer: StoreConnection, twelve: list[str]
) -> None:
    for text in (twelve[3], twelve[3][:-2], twelve[3][-5:], f"  {twelve[3].upper()} "):
        assert queries.resolve_run(writer, text).id == twelve[3]
    with pytest.raises(UsageError, match=r"could be several runs: .*, …$"):
        queries.resolve_run(writer, "sasrec")
    with pytest.raises(UsageError, match=f"did you mean '{twelve[3]}'"):
        queries.resolve_run(writer, twelve[3].replace("synthetic", "synthetik"))
    for text in ("", "%", "_", "' OR 1"):
        with pytest.raises(UsageError):
            queries.resolve_run(writer, text)


@pytest.mark.parametrize(
    ("facts", "progress", "eta"),
    [
        ({}, None, None),
        ({"epoch": 0, "step": 0, "epoch_step": 0, "steps_per_epoch": 10}, 0.0, 40.0),
        ({"epoch": 1, "step": 16, "epoch_step": 11, "steps_per_epoch": 10}, 0.375, 25.0),
        ({"epoch": 1, "step": 8, "epoch_step": 8, "steps_per_epoch": 10}, 0.25, 30.0),
        ({"epoch": 1, "step": 99, "epoch_step": 10, "steps_per_epoch": 10}, 0.5, 20.0),
        ({"epoch": 5, "step": 50, "epoch_step": 50, "steps_per_epoch": 10}, 1.0, 0.0),
        ({"epoch": 2}, 0.5, 20.0),
    ],
)
def test_progress_and_eta(
    writer: StoreConnection,
    twelve: list[str],
    facts: dict[str, Any],
    progress: float | None,
    eta: float | None,
) -> None:
    for name, value in {"epochs": 4, "epoch_seconds": 10.0, **facts}.items():
        writer.execute(f"UPDATE runs SET {name} = ? WHERE id = ?", (value, twelve[4]))
    run = queries.get_run(writer, twelve[4])
    assert run is not None
    assert run.progress == (None if progress is None else pytest.approx(progress))
    assert run.eta_seconds == (None if eta is None else pytest.approx(eta))


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("", range(12)),
        ("state:done", range(4)),
        ("XLSTM", range(8, 12)),
        ("sasrec length:75 state:running", [4, 5]),
        ("length:7", []),
        ("seed:3 model:sas", [3, 7]),
        ("synthetic state:", range(12)),
        ("%", []),
        ("done queued", []),
    ],
)
def test_filters(writer: StoreConnection, twelve: list[str], text: str, chosen: list[int]) -> None:
    rows = comparison(writer, ["id"], "created", False, filter=text)
    assert [row[0] for row in rows] == [twelve[index] for index in chosen]
    assert comparison_count(writer, text) == len(chosen)
    by_figure = comparison(writer, ["id"], "test_ndcg_best", True, filter=text)
    assert sorted(by_figure) == sorted(rows)


def test_words_do_not_match_across_columns(writer: StoreConnection, twelve: list[str]) -> None:
    writer.execute("UPDATE runs SET profile = 'ab', suite = 'cd' WHERE id = ?", (twelve[0],))
    assert comparison_count(writer, "ab cd") == 1
    assert comparison_count(writer, "abcd") == 0


def test_unknown_columns_are_refused_with_the_nearest(writer: StoreConnection) -> None:
    with pytest.raises(UsageError, match="did you mean 'test_ndcg_best'"):
        comparison(writer, ["id"], "test_ndcg_bst", True)
    with pytest.raises(UsageError, match="no column"):
        comparison(writer, ["id; DROP TABLE runs"], "id", True)
    assert {"id", "state", "test_ndcg_best", "loss_sum_max", "total_seconds"} <= set(
        comparison_columns()
    )


def test_no_supervisor_has_said_anything(writer: StoreConnection) -> None:
    assert queries.supervisor_state(writer) is None


@pytest.fixture(scope="module")
def ten(
    tmp_path_factory: pytest.TempPathFactory, catalogue: Any
) -> tuple[StoreLocation, list[str]]:
    location = store_location(tmp_path_factory.mktemp("sorting") / "runs.db")
    spec = catalogue.run_spec("sasrec", "synthetic", 50, 1)
    return location, enqueue(location, [spec] * 10)


@settings(max_examples=25, deadline=None)
@given(
    values=st.lists(st.none() | st.floats(0, 1), min_size=10, max_size=10),
    column=st.sampled_from(["test_ndcg_best", "test_mrr_masked_mean", "started"]),
    descending=st.booleans(),
    page=st.integers(1, 12),
)
def test_pages_are_slices_of_one_order_with_nulls_last(
    ten: tuple[StoreLocation, list[str]],
    values: list[float | None],
    column: str,
    descending: bool,
    page: int,
) -> None:
    location, ids = ten
    table, key = ("runs", "id") if column == "started" else ("summaries", "run")
    with closing(connect_writer(location)) as connection:
        for run, value in zip(ids, values, strict=True):
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE {key} = ?", (value, run))
        rows: list[tuple[Any, ...]] = []
        for offset in range(0, 10, page):
            rows += comparison(
                connection, ["id", column], column, descending, limit=page, offset=offset
            )
        assert comparison(connection, ["id", column], column, descending, limit=-1) == rows
    pairs = list(zip(ids, values, strict=True))
    known = sorted([(value, run) for run, value in pairs if value is not None], reverse=descending)
    unknown = sorted([run for run, value in pairs if value is None], reverse=descending)
    assert rows == [(run, value) for value, run in known] + [(run, None) for run in unknown]
