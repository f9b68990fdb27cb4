"""A run's series: the times of its attempts, figures by epoch, thinned telemetry; runs like it."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from written_journals import journal_lines

from engine.config import load_catalogue
from engine.store import queries, series
from engine.store.connect import connect_reader, connect_writer, create_or_migrate
from engine.store.database import write
from engine.store.intake.ingest import ingest
from engine.store.location import StoreLocation
from engine.store.requests import enqueue


@pytest.fixture
def location(tmp_path: Path) -> StoreLocation:
    location = StoreLocation(tmp_path / "runs.db")
    create_or_migrate(location)
    return location


def add(location: StoreLocation, model: str, seed: int, length: int = 50) -> str:
    spec = load_catalogue().run_spec(model, "synthetic", length, seed)
    return enqueue(location, [spec])[0]


def take(
    location: StoreLocation, run: str, attempt: int, lines: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    folder = location.folder(run)
    folder.path.mkdir(parents=True, exist_ok=True)
    folder.journal(attempt).write_text("".join(json.dumps(line) + "\n" for line in lines))
    with closing(connect_writer(location)) as connection:
        ingest(connection, folder, attempt)
    return lines


def test_spans_reach_from_the_first_to_the_newest_line(location: StoreLocation) -> None:
    run = add(location, "sasrec", 1)
    first = take(location, run, 1, journal_lines(1, range(1, 3), end=None))
    second = take(location, run, 2, journal_lines(2, range(2, 4), resumed=1))
    with closing(connect_reader(location)) as connection:
        spans = series.attempt_spans(connection, run)
        assert spans == [
            # A heartbeat leaves no row.
            (1, first[0]["t"], max(x["t"] for x in first if x["kind"] != "heartbeat")),
            (2, second[0]["t"], second[-1]["t"]),
        ]
        assert series.attempt_spans(connection, "nobody") == []


def test_figures_of_epochs_from_one_on(location: StoreLocation) -> None:
    run = add(location, "sasrec", 1)
    take(location, run, 1, journal_lines(1, range(1, 6)))
    with closing(connect_reader(location)) as connection:
        rows = series.epoch_figures(connection, run, ("loss", "valid_ndcg", "; DROP"), 2, 4)
        assert [(row[0], row[3]) for row in rows] == [(3, 9), (4, 12)]
        assert all(len(row) == 8 for row in rows)
        assert len(series.epoch_figures(connection, run, ())) == 5


def test_telemetry_is_thinned_and_keeps_the_newest(location: StoreLocation) -> None:
    run = add(location, "sasrec", 1)
    lines = journal_lines(1, range(1, 1), end=None)[:1]
    lines += [
        {"seq": n, "t": 1e6 + 2 * n, "kind": "telemetry", "cpu_percent": n / 10}
        for n in range(1, 101)
    ]
    take(location, run, 1, lines)
    with closing(connect_reader(location)) as connection:
        rows, stride = series.thinned_telemetry(connection, run, 30)
        assert stride == 4
        assert [row["seq"] for row in rows] == list(range(4, 101, 4))
        whole, stride = series.thinned_telemetry(connection, run, 100)
        assert (len(whole), stride) == (100, 1)
        assert series.thinned_telemetry(connection, "nobody", 100) == ([], 1)


def test_the_nearest_companions_come_first(location: StoreLocation) -> None:
    run, other = add(location, "sasrec", 1), add(location, "bert4rec", 1)
    same, longer = add(location, "sasrec", 2), add(location, "sasrec", 3, length=75)
    waiting = add(location, "sasrec", 4)
    for name in (run, other, same, longer):
        take(location, name, 1, journal_lines(1, range(1, 2)))
    with closing(connect_writer(location)) as connection, write(connection):
        connection.execute("UPDATE runs SET note = 'From [b]Grid[/b]' WHERE id = ?", (other,))
    with closing(connect_reader(location)) as connection:
        found = [found.id for found in queries.companions(connection, run)]
        assert found[0] == same
        assert set(found) == {same, longer, other}
        assert waiting not in found

        def by(*words: str) -> list[str]:
            return [found.id for found in queries.companions(connection, run, words)]

        assert by("L75") == [longer]
        assert by("SASREC", "s2") == [same]
        assert by("[b]grid") == [other]
        assert by("sasrec", "bert4rec") == []
        assert len(queries.companions(connection, run, (), 2)) == 2
