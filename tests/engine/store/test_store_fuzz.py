"""Any journal is taken in, and any filter answered."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from typing import Any

from fuzzing import attempted, fuzz, short_and_long, spoilt, torn
from hypothesis import strategies as st
from written_journals import journal_lines, to_bytes

from engine.analysis.comparison import RunRows, compare_rows
from engine.analysis.export import FORMATS, format_rows
from engine.analysis.run.details import run_details
from engine.errors import UsageError
from engine.runfolder import RunFolder
from engine.store import series
from engine.store.compare.comparison import comparison_count
from engine.store.connect import connect_reader
from engine.store.database import StoreConnection, write
from engine.store.intake.ingest import ingest
from engine.store.location import StoreLocation
from engine.store.schema import RUN_TABLES

AddRun = Callable[..., RunFolder]

LINES: list[Any] = journal_lines(epochs=range(1, 3))


@st.composite
def journals(draw: st.DrawFn) -> bytes:
    """Lines that a worker writes, some of them spoilt, in any order, then torn."""
    lines = draw(st.lists(spoilt(LINES), max_size=12))
    text = "\n".join(json.dumps(line, ensure_ascii=draw(st.booleans())) for line in lines)
    whole = text.encode("utf-8", "surrogatepass") + b"\n"
    return draw(st.just(whole) | torn([whole, to_bytes(LINES)]) | st.binary(max_size=200))


@short_and_long
def test_any_journal(writer: StoreConnection, add_run: AddRun, inputs: int) -> None:
    folder = add_run()
    run, path = folder.run_id, folder.journal(1)

    def check(data: bytes) -> None:
        with write(writer):
            for table in {*RUN_TABLES, "summaries"} - {"specs"}:
                writer.execute(f"DELETE FROM {table} WHERE run = ?", (run,))
            writer.execute("INSERT INTO summaries (run) VALUES (?)", (run,))
            writer.execute("UPDATE runs SET state = 'running' WHERE id = ?", (run,))
        path.write_bytes(data)
        assert ingest(writer, folder, 1) == data.count(b"\n")
        assert ingest(writer, folder, 1) == 0
        details = run_details(writer, run)
        assert details is not None
        for row in (*details.epochs, *series.events(writer, run), details.provenance):
            json.dumps(dict(row), allow_nan=False)
        for format_ in FORMATS:
            assert format_rows(compare_rows(writer), format_)

    fuzz(inputs, journals(), check)


@short_and_long
def test_any_filter(
    location: StoreLocation, add_run: AddRun, make_spec: Callable[..., Any], inputs: int
) -> None:
    runs = [add_run(seed=seed).run_id for seed in (1, 2)]
    words = st.text(max_size=12) | st.sampled_from(
        ["sasrec", "state:queued", "length:50", "id:", "note:%", "suite:'--", "x:y:z", ":", "\x00"]
    )
    filters = st.lists(words, max_size=4).map(" ".join)
    orders = st.sampled_from(["NDCG@10/test", "run", "id", "Loss/train"]) | st.text(max_size=10)
    aggregates = st.sampled_from(["best", "max", "last", "mean"]) | st.text(max_size=6)
    asked = st.tuples(filters, orders, aggregates, st.booleans())
    matched = 0

    with closing(connect_reader(location)) as con:

        def check(question: tuple[str, str, str, bool]) -> None:
            nonlocal matched
            text, order, aggregate, descending = question
            count = attempted(lambda: comparison_count(con, text), UsageError)
            assert not isinstance(count, int) or 0 <= count <= len(runs)
            rows = attempted(
                lambda: compare_rows(
                    con, filter=text, sort=order, aggregate=aggregate, descending=descending
                ),
                UsageError,
            )
            if isinstance(rows, RunRows):
                matched += len(rows)
                assert len(rows) == count

        fuzz(inputs, asked, check, [("sasrec", "NDCG@10/test", "best", True)])
    assert matched
