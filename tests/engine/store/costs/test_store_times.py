"""A run's times: medians over its epochs, whatever else is chosen of them; and its marks of the
processor."""

from __future__ import annotations

import json
import sqlite3
import statistics
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from measured_runs import MeasuredStore, journal
from sqlite_utils import Database
from test_store_old import OLD
from written_journals import dump, journal_lines, to_bytes

from engine.analysis.columns.definitions import AGGREGATES
from engine.analysis.comparison import by_cell, compare_rows
from engine.analysis.pivot.arranged import COLUMNS
from engine.analysis.pivot.stored import stored_pivot
from engine.marks import BUSY
from engine.metrics import EPOCH_TIMES
from engine.runfolder import RunFolder
from engine.store.compare.comparison import comparison
from engine.store.compare.grouping import Choice, counted_runs
from engine.store.connect import connect_reader, connect_writer
from engine.store.costs.runs import run_costs
from engine.store.database import StoreConnection
from engine.store.intake.ingest import ingest, summarise
from engine.store.intake.rebuild import rebuild
from engine.store.location import StoreLocation
from engine.store.migrations import migrations

Seconds = Sequence[float | None]
SECONDS = st.lists(st.none() | st.floats(0, 1e6), min_size=1, max_size=9)


def median(values: Seconds) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def highest(values: Seconds) -> float | None:
    return max((value for value in values if value is not None), default=None)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wall=SECONDS, cpu=SECONDS)
def test_a_time_is_the_median_over_epochs_under_every_aggregate_but_the_maximum(
    writer: StoreConnection, add_run: Callable[..., RunFolder], wall: Seconds, cpu: Seconds
) -> None:
    epochs = max(len(wall), len(cpu))
    wall, cpu = ([*values, *[None] * (epochs - len(values))] for values in (wall, cpu))
    lines = journal_lines(epochs=range(1, epochs + 1))
    for number, line in enumerate(line for line in lines if line["kind"] == "epoch"):
        line |= {"train_seconds": wall[number], "cpu_seconds": cpu[number]}
    folder = add_run()
    folder.journal(1).write_bytes(to_bytes(lines))
    ingest(writer, folder, 1)
    only = f"run={folder.run_id}"
    for aggregate in AGGREGATES:
        (row,) = compare_rows(writer, aggregate=aggregate, filter=only)
        of = highest if aggregate == "max" else median
        assert row["EpochTime"] == of(wall)
        assert row["EpochCPUTime"] == of(cpu)
        for field, value in (("epoch_time", of(wall)), ("cpu_time", of(cpu))):
            above = compare_rows(writer, aggregate=aggregate, filter=f"{only} {field}>=0")
            assert bool(above) == (value is not None)
    costs = run_costs(writer, [folder.run_id])[folder.run_id]
    assert (costs.epoch_seconds, costs.cpu_seconds) == (median(wall), median(cpu))


def test_every_table_shows_one_time_of_a_run(tmp_path: Path) -> None:
    store = MeasuredStore(tmp_path)
    run = store.add()
    place = COLUMNS.index("EpochTime")
    with closing(connect_reader(store.location)) as con:
        wanted = median([row[0] for row in con.rows("SELECT train_seconds FROM epochs")])
        for aggregate in ("best", "last", "mean", "min"):
            rows = compare_rows(con, aggregate=aggregate)
            (cell,) = by_cell(rows, counted_runs(con, Choice()))
            pivot = stored_pivot(con, Choice(aggregate=aggregate), aggregate).rows
            shown = {
                rows[0]["EpochTime"],
                cell["EpochTime"],
                *(row.figures[place] for row in pivot),
            }
            assert shown == {wanted}
        assert run_costs(con, [run])[run].epoch_seconds == wanted


def test_a_run_of_before_has_no_processor_time(tmp_path: Path) -> None:
    store = MeasuredStore(tmp_path)
    store.add()
    with closing(connect_reader(store.location)) as con:
        (row,) = compare_rows(con)
        assert (row["EpochCPUTime"], row["marks"]) == (None, None)
        assert compare_rows(con, filter="-mark:* cpu_time>=0") == []


def test_a_store_of_before_gets_the_medians_that_intake_makes(tmp_path: Path) -> None:
    location = StoreLocation(tmp_path / "runs.db")
    with closing(sqlite3.connect(location.db)) as old:
        old.executescript(OLD.read_text())
        migrations().apply(Database(old), stop_before="times_of_the_model")
        old.commit()
    with closing(connect_writer(location)) as con:
        names = [f"{measure}_median" for measure in EPOCH_TIMES]
        migrated = comparison(con, ["id", *names], "id", False, limit=-1)
        trained = [row for row in migrated if row[1] is not None]
        assert trained
        for run, seconds, *_ in trained:
            rows = con.rows("SELECT train_seconds FROM epochs WHERE run = ?", (run,))
            assert seconds == median([row[0] for row in rows])
        for run, *_ in migrated:
            summarise(con, str(run))
        assert comparison(con, ["id", *names], "id", False, limit=-1) == migrated


ENOUGH, LITTLE = (
    {"cpu_seconds": 8.0, "cpu_wait_seconds": 2.0},
    {
        "cpu_seconds": 7.9,
        "cpu_wait_seconds": 2.1,
    },
)
UNTOLD = {"cpu_seconds": 8.0, "cpu_wait_seconds": None}


@pytest.mark.parametrize("kind", ["cpu", "cuda"])
@pytest.mark.parametrize(
    ("epochs", "speed", "marks"),
    [
        ([ENOUGH, ENOUGH], 0.8, ""),
        ([ENOUGH, ENOUGH], None, ""),
        ([ENOUGH, LITTLE], 1.0, BUSY),
        ([ENOUGH, ENOUGH], 0.79, BUSY),
        ([ENOUGH, UNTOLD], 1.0, None),
        ([LITTLE, UNTOLD], 1.0, BUSY),
        ([UNTOLD, UNTOLD], None, None),
        ([{}, {}], None, None),
        ([{"cpu_seconds": 0.0, "cpu_wait_seconds": 0.0}] * 2, None, None),
        ([ENOUGH, {"cpu_seconds": [], "cpu_wait_seconds": "x"}], "x", None),
    ],
    ids=repr,
)
def test_a_run_that_had_too_little_of_the_processor_is_marked(
    tmp_path: Path,
    kind: str,
    epochs: list[dict[str, Any]],
    speed: float | None,
    marks: str | None,
) -> None:
    """Of a GPU's run without mark nothing is told: its driver wasn't heard."""
    store = MeasuredStore(tmp_path)
    run = store.add(epochs=0)
    lines = journal("sasrec", "ml-100k", 50, 1, len(epochs), "done")
    lines[0]["device_kind"] = kind
    for line, figures in zip(lines[1:-1], epochs, strict=True):
        line |= figures
    lines[-1]["speed_cpu_share"] = speed
    folder = store.location.folder(run)
    wanted = marks if kind == "cpu" or marks else None
    with closing(connect_writer(store.location)) as con:
        con.execute("UPDATE runs SET state = 'running'")
        for n, line in enumerate(lines):
            with folder.journal(1).open("a") as file:
                file.write(json.dumps({"seq": n, **line}) + "\n")
            assert con.rows("SELECT marks FROM runs")[0][0] is None, "it isn't done"
            ingest(con, folder, 1)
    for _ in range(2):
        with closing(connect_reader(store.location)) as con:
            (row,) = compare_rows(con)
            assert (row["state"], row["marks"]) == ("done", wanted)
            assert len(compare_rows(con, filter="mark:busy")) == (marks == BUSY)
            kept = dump(con)
        rebuild(store.location)
        with closing(connect_reader(store.location)) as con:
            assert dump(con)["summaries"] == kept["summaries"]
