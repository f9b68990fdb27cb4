"""A journal that is taken in piece by piece, whatever stands in it."""

from __future__ import annotations

import math
import shutil
from contextlib import closing
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from written_journals import dump, journal_lines, to_bytes

from engine.runfolder import RunFolder
from engine.spec import RunSpec
from engine.store.connect import connect_writer
from engine.store.database import StoreConnection
from engine.store.intake.ingest import ingest
from engine.store.location import StoreLocation, store_location
from engine.store.requests import enqueue

ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=2**62, max_value=2**80)
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["\x00", "\ud800", "9" * 50, "done", -1, 10**400]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


NAMES = ("epoch", "step", "loss", "status", "message", "valid_ndcg", "pid", "host", "cpu_percent")


KINDS = ("start", "step", "epoch", "telemetry", "checkpoint", "warning", "end", "heartbeat", "new")


ODD_LINES = st.lists(
    st.fixed_dictionaries(
        {"kind": st.sampled_from(KINDS), "t": st.floats(0, 1e10)},
        optional=dict.fromkeys(NAMES, ODD),
    ),
    max_size=12,
)


@pytest.fixture(scope="module")
def two_runs(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[StoreLocation, list[RunFolder]]:
    """One store for all examples of a property: making one takes longer than the example."""
    from engine.config import load_catalogue

    location = store_location(tmp_path_factory.mktemp("properties") / "runs.db")
    spec: RunSpec = load_catalogue().run_spec("sasrec", "synthetic", 50, 1)
    return location, [location.folder(run) for run in enqueue(location, [spec, spec])]


def forget(connection: StoreConnection, folders: list[RunFolder]) -> None:
    for table in ("epochs", "steps", "telemetry", "events", "attempts", "warnings"):
        connection.execute(f"DELETE FROM {table}")
    connection.execute(
        "UPDATE runs SET state = 'running', started = NULL, finished = NULL, epoch = NULL,"
        " step = NULL, attempt = 2"
    )
    for folder in folders:
        shutil.rmtree(folder.path, ignore_errors=True)
        folder.path.mkdir(parents=True)
        connection.execute("INSERT OR REPLACE INTO summaries (run) VALUES (?)", (folder.run_id,))


def in_place_of(found: dict[str, list[tuple[Any, ...]]], run: str) -> dict[str, Any]:
    return {table: [row[1:] for row in rows if row[0] == run] for table, rows in found.items()}


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), odd=ODD_LINES)
def test_pieces_give_the_same_rows_as_the_whole(
    two_runs: tuple[StoreLocation, list[RunFolder]],
    data: st.DataObject,
    odd: list[dict[str, Any]],
) -> None:
    location, folders = two_runs
    first = to_bytes(journal_lines(1, range(1, 3), steps=2, end=None))
    second = to_bytes(journal_lines(2, range(2, 4), steps=2, end="done", resumed=1, lead=0.25))
    second += to_bytes([{"seq": 100 + seq, **line} for seq, line in enumerate(odd)])
    first_cuts = sorted(data.draw(st.lists(st.integers(0, len(first)), max_size=3)))
    second_cuts = sorted(data.draw(st.lists(st.integers(0, len(second)), max_size=5)))
    with closing(connect_writer(location)) as connection:
        forget(connection, folders)
        whole, pieces = folders
        for attempt, text, cuts in ((1, first, first_cuts), (2, second, second_cuts)):
            whole.journal(attempt).write_bytes(text)
            ingest(connection, whole, attempt)
            for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
                with pieces.journal(attempt).open("ab") as file:
                    file.write(text[start:end])
                ingest(connection, pieces, attempt)
        found = dump(connection)
    # Fields that are the run's own, not the journal's.
    found["runs"] = [(row[0], *row[8:9], *row[11:]) for row in found["runs"]]
    one, other = in_place_of(found, whole.run_id), in_place_of(found, pieces.run_id)
    assert one == other
    values = [value for rows in one.values() for row in rows for value in row]
    assert not any(isinstance(value, float) and not math.isfinite(value) for value in values)
