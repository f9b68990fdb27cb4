"""A store with very many runs, made in less than a minute.

One run of each kind goes the whole way, through `enqueue`, a journal and `ingest`; the others are
copies of it, made by SQLite, with ids, seeds, times and metrics of their own.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import astuple, dataclass
from itertools import cycle, islice, product

from benchmarks.attempts import (
    Line,
    end_line,
    epoch_line,
    stamped,
    start_line,
    step_line,
    telemetry_line,
)
from engine.config import Catalogue, load_catalogue
from engine.metrics import METRIC_COLUMNS
from engine.spec import Overrides
from engine.store.connect import connect_writer, create_or_migrate
from engine.store.database import StoreConnection, write
from engine.store.intake.ingest import ingest
from engine.store.location import StoreLocation
from engine.store.requests import enqueue
from engine.store.schema import RUN_TABLES, SUMMARY_MEASURES

MODELS = ("sasrec", "bert4rec", "xlstm")
DATASETS = ("ml-100k", "ml-1m")
LENGTHS = (50, 75, 100)
ENDS = (
    ("done", "early-stopping", "No better validation NDCG@10 for 10 epochs."),
    ("done", "completed", "All epochs are trained."),
    ("cancelled", "cancelled", "Cancelled after epoch 4."),
    ("done", "completed", "All epochs are trained."),
    ("failed", "diverged", "The loss stopped being a number: try a lower learning rate."),
)
EPOCHS = 4
STEPS = 3
"""Step lines kept of an epoch."""

NOW = 1_790_000_000.0
"""When the newest run was queued; the others are a minute apart."""

_TIMES = frozenset(
    {"t", "created", "started", "finished", "launched", "ended", "exited", "last_growth"}
)
_SCALED = frozenset(
    {
        *METRIC_COLUMNS,
        *(name for name in SUMMARY_MEASURES if name.startswith(("valid_", "test_"))),
        "best_valid_ndcg",
        "best_test_ndcg",
    }
)
"""Every aggregate of an epoch's metric grows with it, so a copy is as consistent as its model."""


@dataclass(frozen=True)
class Copy:
    """One run that is made from another."""

    id: str
    template: str
    seed: int
    position: int
    later: float
    """Seconds after the template."""
    scale: float
    """Of every metric."""


def make_store(
    location: StoreLocation,
    queued: int,
    finished: int,
    settings: Sequence[Overrides] = ({},),
) -> None:
    """Make a store with so many runs: every cell of three models equally often.

    Finished runs have four epochs each. There are no run folders: a queued run's is made when the
    run is launched.

    Args:
        settings: overrides that finished runs have in turn.

    Raises:
        StoreError: it can't be written.
    """
    chance = random.Random(27)
    create_or_migrate(location)
    catalogue = load_catalogue()
    with closing(connect_writer(location)) as connection:
        # Nothing is lost if the power goes: it is made again.
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -400000")
        for templates, count in (
            (_finished(location, catalogue, chance, finished, settings), finished),
            (_queued(location, catalogue, queued), queued),
        ):
            with write(connection):
                _copy(connection, list(_copies(connection, templates, count, chance)))
        with write(connection):
            connection.execute("UPDATE runs SET saved = revision")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _finished(
    location: StoreLocation,
    catalogue: Catalogue,
    chance: random.Random,
    count: int,
    settings: Sequence[Overrides],
) -> list[str]:
    """A run of every cell for every way to end, or the first ``count`` of these."""
    kinds = list(product(ENDS, MODELS, DATASETS, LENGTHS))[:count]
    specs = [
        catalogue.run_spec(model, data, length, 0, overrides=overrides)
        for (_, model, data, length), overrides in zip(kinds, cycle(settings), strict=False)
    ]
    ids = enqueue(location, specs)
    with closing(connect_writer(location)) as connection:
        for run, (end, *_) in zip(ids, kinds, strict=True):
            folder = location.folder(run)
            folder.path.mkdir()
            lines = stamped(_journal(end, chance), NOW, 1.0)
            folder.journal(1).write_text("".join(json.dumps(line) + "\n" for line in lines))
            ingest(connection, folder, 1)
            folder.journal(1).unlink()
            folder.path.rmdir()
        with write(connection):
            connection.execute("UPDATE attempts SET exited = ended")
            connection.execute("UPDATE runs SET created = ?", (NOW,))
    return ids


def _queued(location: StoreLocation, catalogue: Catalogue, count: int) -> list[str]:
    """A run of every cell, or the first ``count`` of these."""
    cells = list(product(MODELS, DATASETS, LENGTHS))[:count]
    ids = enqueue(location, [catalogue.run_spec(*cell, 0) for cell in cells])
    with closing(connect_writer(location)) as connection, write(connection):
        connection.executemany("UPDATE runs SET created = ? WHERE id = ?", [(NOW, i) for i in ids])
    return ids


def _journal(end: Sequence[str], chance: random.Random) -> Iterator[Line]:
    yield start_line(1, epochs=200)
    for epoch in range(1, EPOCHS + 1):
        yield from (step_line(chance, epoch, index) for index in range(STEPS))
        yield telemetry_line(chance)
        yield epoch_line(chance, epoch)
    yield end_line(*end)


def _copies(
    connection: StoreConnection, templates: Sequence[str], count: int, chance: random.Random
) -> Iterator[Copy]:
    """What makes ``count`` runs of their templates, which are the first of them."""
    letters = "abcdefghijklmnopqrstuvwxyz234567"
    last = connection.rows("SELECT coalesce(max(position), 0) FROM runs")[0][0]
    for number, template in enumerate(islice(cycle(templates), count - len(templates))):
        stem = template.rpartition("-")[0].rpartition("-s")[0]
        seed = 1 + number // len(templates)
        end = "".join(chance.choices(letters, k=5))
        later = -60.0 * (count - number)
        scale = chance.gauss(1, 0.05)
        yield Copy(f"{stem}-s{seed}-{end}", template, seed, last + number + 1, later, scale)


def _copy(connection: StoreConnection, copies: Sequence[Copy]) -> None:
    """Copy every table's rows of the templates (inside a write transaction)."""
    connection.execute(
        "CREATE TEMP TABLE copies"
        " (id TEXT PRIMARY KEY, template, seed, position, later, scale) WITHOUT ROWID"
    )
    connection.executemany(
        "INSERT INTO copies VALUES (?, ?, ?, ?, ?, ?)", [astuple(copy) for copy in copies]
    )
    for table in ("runs", *RUN_TABLES, "summaries"):
        columns = [row[1] for row in connection.rows(f"PRAGMA table_info({table})")]
        values = ", ".join(_value(name) for name in columns)
        owner = "id" if table == "runs" else "run"
        connection.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values}"
            f" FROM copies c CROSS JOIN {table} t ON t.{owner} = c.template ORDER BY c.id"
        )
    connection.execute("DROP TABLE copies")


def _value(column: str) -> str:
    """A copy's value of a column, whatever table it is in."""
    if column in ("id", "run"):
        return "c.id"
    if column in ("seed", "position"):
        return f"c.{column}"
    if column == "fingerprint":
        return "lower(hex(randomblob(6)))"
    if column == "spec":
        return "json_set(t.spec, '$.seed', c.seed)"
    if column in _TIMES:
        return f"t.{column} + c.later"
    if column in _SCALED:
        return f"t.{column} * c.scale"
    return f"t.{column}"
