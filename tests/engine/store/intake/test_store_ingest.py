from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from written_journals import epoch_fields, journal_lines, to_bytes

from engine.metrics import AGGREGATES, EPOCH_MEASURES
from engine.runfolder import RunFolder
from engine.store import queries, series
from engine.store.compare.comparison import comparison
from engine.store.database import StoreConnection
from engine.store.intake.ingest import ingest

AddRun = Callable[..., RunFolder]


def put(folder: RunFolder, attempt: int, lines: list[dict[str, Any]], tail: bytes = b"") -> None:
    with folder.journal(attempt).open("ab") as file:
        file.write(to_bytes(lines) + tail)


def test_a_whole_journal_becomes_rows(writer: StoreConnection, add_run: AddRun) -> None:
    folder = add_run()
    lines = journal_lines()
    put(folder, 1, lines)
    assert ingest(writer, folder, 1) == len(lines)
    assert ingest(writer, folder, 1) == 0

    run = queries.get_run(writer, folder.run_id)
    assert run is not None
    assert (run.state, run.epoch, run.step, run.device) == ("done", 3, 9, "A CPU")
    assert (run.started, run.finished) == (lines[0]["t"], lines[-1]["t"])
    assert (run.best_epoch, run.cause, run.message) == (3, "completed", "Ended.")
    assert run.progress == 1.0
    rows = series.epochs(writer, folder.run_id)
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    wanted = epoch_fields(2)
    assert {name: rows[1][name] for name in EPOCH_MEASURES} == {
        name: wanted[name] for name in EPOCH_MEASURES
    }
    steps = series.steps(writer, folder.run_id)
    assert [row[3] for row in steps] == list(range(1, 10))
    assert series.steps(writer, folder.run_id, steps[3][:2]) == steps[4:]
    telemetry = series.telemetry(writer, folder.run_id)
    assert [row["cpu_percent"] for row in telemetry] == [50.0] * 3
    assert series.telemetry(writer, folder.run_id, telemetry[0]["t"]) == telemetry[1:]
    kinds = [event["kind"] for event in series.events(writer, folder.run_id)]
    assert kinds == ["start", "checkpoint", "checkpoint", "checkpoint", "end"]
    assert series.events(writer, folder.run_id)[0]["patience"] == 10


def test_summaries_are_the_aggregates_of_the_epochs(
    writer: StoreConnection, add_run: AddRun
) -> None:
    folder = add_run()
    lines = journal_lines(epochs=range(1, 5))
    ndcg = iter([0.1, 0.4, 0.4, 0.2])
    for line in lines:
        if line["kind"] == "epoch":
            line["valid_ndcg"] = next(ndcg)
    put(folder, 1, lines)
    ingest(writer, folder, 1)
    columns = [f"test_recall_{how}" for how in AGGREGATES] + ["epochs_trained", "total_seconds"]
    (row,) = comparison(writer, ["best_epoch", *columns], "id", False)
    recall = [epoch_fields(epoch)["test_recall"] for epoch in range(1, 5)]
    seconds = sum(
        epoch_fields(epoch)["train_seconds"] + epoch_fields(epoch)["eval_seconds"]
        for epoch in range(1, 5)
    )
    # Of two equal epochs the earlier is the best: training keeps the first.
    wanted = (2, recall[1], max(recall), min(recall), sum(recall) / 4, recall[3], 4, seconds)
    assert row == pytest.approx(wanted)
    run = queries.get_run(writer, folder.run_id)
    assert run is not None
    assert (run.best_epoch, run.best_valid_ndcg) == (2, 0.4)
    (gpu,) = comparison(writer, ["gpu_memory_mib_max"], "id", False)
    assert gpu == (None,)


def test_a_torn_line_is_taken_when_it_is_whole(writer: StoreConnection, add_run: AddRun) -> None:
    folder = add_run()
    lines = journal_lines()
    data = to_bytes(lines)
    cut = data.rindex(b'"kind"')
    folder.journal(1).write_bytes(data[:cut])
    assert ingest(writer, folder, 1) == len(lines) - 1
    run = queries.get_run(writer, folder.run_id)
    assert run is not None
    assert run.state == "queued"  # no word of the supervisor, and no end: nothing else is known
    with folder.journal(1).open("ab") as file:
        file.write(data[cut:])
    assert ingest(writer, folder, 1) == 1
    run = queries.get_run(writer, folder.run_id)
    assert run is not None
    assert run.state == "done"


def started(writer: StoreConnection, run: str, attempt: int) -> None:
    """As the supervisor does it."""
    writer.execute("UPDATE runs SET state = 'running', attempt = ? WHERE id = ?", (attempt, run))


def test_a_resumed_run_has_each_epoch_and_step_once(
    writer: StoreConnection, add_run: AddRun
) -> None:
    folder = add_run()
    started(writer, folder.run_id, 1)
    put(folder, 1, journal_lines(1, range(1, 4), end=None))
    put(folder, 1, [{"seq": 50, "t": 1e6, "kind": "step", "step": 10, "epoch": 4, "loss": 1.0}])
    ingest(writer, folder, 1)
    started(writer, folder.run_id, 2)
    put(folder, 2, journal_lines(2, range(3, 6), end="done", resumed=2, lead=0.5))
    ingest(writer, folder, 2)

    steps = series.steps(writer, folder.run_id)
    assert [row[3] for row in steps] == list(range(1, 16))
    assert [row[0] for row in steps] == [1] * 6 + [2] * 9
    rows = series.epochs(writer, folder.run_id)
    assert [(row["epoch"], row["attempt"]) for row in rows] == [
        (1, 1),
        (2, 1),
        (3, 2),
        (4, 2),
        (5, 2),
    ]
    run = queries.get_run(writer, folder.run_id)
    assert run is not None
    assert (run.state, run.epoch, run.step) == ("done", 5, 15)


def test_epochs_that_a_later_attempt_never_came_to_are_no_result(
    writer: StoreConnection, add_run: AddRun
) -> None:
    folder = add_run()
    run = folder.run_id
    started(writer, run, 1)
    put(folder, 1, journal_lines(1, range(1, 6), end=None))
    ingest(writer, folder, 1)
    started(writer, run, 2)
    put(folder, 2, journal_lines(2, range(3, 4), end="done", resumed=2))
    ingest(writer, folder, 2)

    wanted = [(1, 1), (2, 1), (3, 2)]
    assert [(row["epoch"], row["attempt"]) for row in series.epochs(writer, run)] == wanted
    columns = ["epochs_trained", "best_epoch", "valid_ndcg_max", "test_ndcg_last"]
    third = epoch_fields(3)
    figures = [(3, 3, third["valid_ndcg"], third["test_ndcg"])]
    assert comparison(writer, columns, "id", False) == figures
    # The first one lives on where it was thought gone.
    put(folder, 1, [{"seq": 90, "t": 2e6, "kind": "epoch", **epoch_fields(6)}])
    ingest(writer, folder, 1)
    assert [(row["epoch"], row["attempt"]) for row in series.epochs(writer, run)] == wanted
    assert comparison(writer, columns, "id", False) == figures


def test_a_stale_attempt_changes_nothing_of_a_newer_one(
    writer: StoreConnection, add_run: AddRun
) -> None:
    folder = add_run()
    started(writer, folder.run_id, 2)
    put(folder, 2, journal_lines(2, range(1, 4), end=None, lead=0.5))
    ingest(writer, folder, 2)
    before = (
        queries.get_run(writer, folder.run_id),
        series.epochs(writer, folder.run_id),
        series.steps(writer, folder.run_id),
    )
    assert before[0] is not None
    # Attempt 1 comes back from a machine that was thought gone, and even ends.
    put(folder, 1, journal_lines(1, range(1, 4), end="failed", t=2_000_000.0))
    ingest(writer, folder, 1)
    assert series.epochs(writer, folder.run_id) == before[1]
    assert series.steps(writer, folder.run_id) == before[2]
    after = queries.get_run(writer, folder.run_id)
    assert after is not None
    assert (after.state, after.epoch, after.step) == ("running", 3, 9)


def test_the_journals_end_overrides_what_was_thought(
    writer: StoreConnection, add_run: AddRun
) -> None:
    folder = add_run()
    started(writer, folder.run_id, 1)
    put(folder, 1, journal_lines(end=None))
    ingest(writer, folder, 1)
    writer.execute("UPDATE attempts SET status = 'lost'")
    writer.execute("UPDATE runs SET state = 'lost'")
    put(folder, 1, [{"seq": 99, "t": 5e6, "kind": "end", "status": "done", "cause": "completed"}])
    ingest(writer, folder, 1)
    run = queries.get_run(writer, folder.run_id)
    assert run is not None
    assert (run.state, run.finished, run.cause) == ("done", 5e6, "completed")


def test_what_is_no_line_becomes_a_warning(writer: StoreConnection, add_run: AddRun) -> None:
    folder = add_run()
    head = {"t": 1.0, "seq": 0}
    lines = [
        b"not json\n",
        b"[]\n",
        b"\xff\xfe\n",
        json.dumps({**head, "kind": "a new kind", "x": 1}).encode() + b"\n",
        json.dumps({**head, "seq": 1, "kind": "epoch", "epoch": "three"}).encode() + b"\n",
        json.dumps({**head, "seq": 2, "kind": "step", "step": 1, "epoch": 1, "loss": []}).encode()
        + b"\n",
        json.dumps({**head, "seq": 3, "kind": "end", "status": "glorious"}).encode() + b"\n",
    ]
    folder.journal(1).write_bytes(b"".join(lines))
    assert ingest(writer, folder, 1) == len(lines)
    problems = [row[0] for row in writer.rows("SELECT problem FROM warnings ORDER BY offset")]
    assert sorted(problems) == sorted(
        [
            *["not a journal line"] * 3,
            "epoch: epoch is not what it should be",
            "epoch: needs epoch",
            "step: loss is not what it should be",
            "end: has no known status",
            "lines of kind 'a new kind' are unknown here",
        ]
    )
    assert [row[5] for row in series.steps(writer, folder.run_id)] == [None]
    assert series.epochs(writer, folder.run_id) == []


def test_of_a_newer_journal_what_is_known_is_taken(
    writer: StoreConnection, add_run: AddRun
) -> None:
    folder = add_run()
    start, *others = journal_lines()
    put(folder, 1, [start | {"format": 99, "mood": "good"}, *others])
    ingest(writer, folder, 1)
    assert [row["epoch"] for row in series.epochs(writer, folder.run_id)] == [1, 2, 3]
    (problem,) = [row[0] for row in writer.rows("SELECT problem FROM warnings")]
    assert "newer seqbench" in problem


def test_lines_twice_and_out_of_order_make_the_same_rows(
    writer: StoreConnection, add_run: AddRun
) -> None:
    plain, mixed = add_run(), add_run()
    lines = [{"seq": seq, "t": 1.0 + seq} | line for seq, line in enumerate(journal_lines())]
    put(plain, 1, lines)
    head, body, end = lines[0], lines[1:-1], lines[-1]
    put(mixed, 1, [head, *reversed(body), *body, end, end])
    for folder in (plain, mixed):
        ingest(writer, folder, 1)

    def rows(folder: RunFolder) -> list[list[Any]]:
        tables = ("epochs", "steps", "telemetry", "events", "summaries")
        return [
            [tuple(row)[1:] for row in writer.rows(f"SELECT * FROM {table} WHERE run = ?", (run,))]
            for table in tables
            for run in (folder.run_id,)
        ]

    assert rows(mixed) == rows(plain)


def test_a_journal_that_became_shorter_is_read_again_and_named(
    writer: StoreConnection, add_run: AddRun
) -> None:
    folder = add_run()
    lines = [{"seq": seq, "t": 1.0 + seq} | line for seq, line in enumerate(journal_lines())]
    put(folder, 1, lines[:-1])
    ingest(writer, folder, 1)
    whole = folder.journal(1).read_bytes()
    folder.journal(1).write_bytes(whole[: len(whole) // 2])
    ingest(writer, folder, 1)
    put(folder, 1, [])
    with folder.journal(1).open("ab") as file:
        file.write(whole[len(whole) // 2 :])
    put(folder, 1, lines[-1:])
    ingest(writer, folder, 1)
    run = queries.get_run(writer, folder.run_id)
    assert run is not None
    assert run.state == "done"
    assert [row["epoch"] for row in series.epochs(writer, folder.run_id)] == [1, 2, 3]
    assert [row[0] for row in writer.rows("SELECT problem FROM warnings")] == [
        "the journal is shorter than it was"
    ]


def test_a_file_that_is_no_journal_has_few_warnings(
    writer: StoreConnection, add_run: AddRun
) -> None:
    folder = add_run()
    folder.journal(1).write_bytes(b"x\n" * 5000)
    assert ingest(writer, folder, 1) == 5000
    assert writer.rows("SELECT count(*) FROM warnings")[0][0] == 100


def test_a_deleted_run_is_not_brought_back(writer: StoreConnection, add_run: AddRun) -> None:
    folder = add_run()
    put(folder, 1, journal_lines())
    writer.execute("DELETE FROM runs")
    assert ingest(writer, folder, 1) == 0
    assert writer.rows("SELECT * FROM epochs") == []


def test_of_a_fitted_model_each_epoch_has_its_settings_and_no_loss(
    writer: StoreConnection, add_run: AddRun
) -> None:
    folder = add_run()
    lines = [line for line in journal_lines() if line["kind"] != "step"]
    lines[0] |= {"epochs": 3, "patience": None, "steps_per_epoch": 1}
    tried = [{"window": 10, "weights": "1/distance"}, {"window": None}, {}]
    epochs = [line for line in lines if line["kind"] == "epoch"]
    for line, these in zip(epochs, tried, strict=True):
        line |= dict.fromkeys(("loss", "loss_sum", "grad_norm", "lr"))
        line |= {"step": line["epoch"], "settings": these}
    put(folder, 1, lines)
    assert ingest(writer, folder, 1) == len(lines)
    assert not writer.rows("SELECT * FROM warnings")

    rows = series.epochs(writer, folder.run_id)
    assert [row["settings"] for row in rows] == tried
    assert {row[name] for row in rows for name in ("loss", "loss_sum", "grad_norm", "lr")} == {None}
    run = queries.get_run(writer, folder.run_id)
    assert run is not None
    assert (run.best_epoch, run.progress) == (3, 1.0)
    ((last,),) = writer.rows("SELECT loss_last FROM summaries WHERE run = ?", (folder.run_id,))
    assert last is None


@pytest.mark.parametrize("settings", ["window=10", 7, ["window"]])
def test_settings_that_are_none_are_named(
    writer: StoreConnection, add_run: AddRun, settings: object
) -> None:
    folder = add_run()
    lines = journal_lines(epochs=range(1, 2))
    next(line for line in lines if line["kind"] == "epoch")["settings"] = settings
    put(folder, 1, lines)
    ingest(writer, folder, 1)
    (row,) = series.epochs(writer, folder.run_id)
    assert row["settings"] is None
    assert len(writer.rows("SELECT * FROM warnings")) == 1
