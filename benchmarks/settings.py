"""Filters, orders and labels by settings on a store with very many runs, beside fields of before.

``make bench-settings``. Figures are processor time of one process, medians over turns.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from statistics import median

from benchmarks.bigstore import make_store
from benchmarks.common import default_device, machine, progress, run, table
from engine.analysis.columns.definitions import columns
from engine.analysis.labels.stored import newest_runs, stored_labels
from engine.config import load_catalogue
from engine.store.compare.comparison import comparison, comparison_count
from engine.store.compare.grouping import Choice, counted_runs
from engine.store.connect import connect_reader, connect_writer
from engine.store.database import StoreConnection, write
from engine.store.location import StoreLocation

SWEPT = [
    {"lr": lr, "dropout": dropout}
    for lr, dropout in zip(
        (0.001, 0.0005, 0.0003, 0.002, 0.01, 0.003, 0.0001),
        (0.1, 0.3, 0.2, 0.5, 0.3, 0.2, 0.4),
        strict=True,
    )
]
FILTERS = ("seed<300", "length:50", "ndcg>0.06", "dropout:0.3", "lr<0.001", "dropout:0.3 lr<0.001")
SORTS = ("seed", "test_ndcg_best", "device", "lr", "norm")
"""Those of runs by which an index sorts, one without an index, and two settings."""

BASE = "sorted by seed"


def give_settings_of_its_own(location: StoreLocation) -> None:
    """Make a store in which every run has another learning rate and dropout."""
    with closing(connect_writer(location)) as con, write(con):
        con.execute(
            "INSERT INTO settings SELECT r.rowid, name, CASE WHEN name IN ('lr', 'dropout')"
            " THEN value * (1 + r.rowid / 1e7) ELSE value END"
            " FROM runs r JOIN settings USING (configuration)"
        )
        con.execute("UPDATE runs SET configuration = rowid, settings = printf('%08x', rowid)")


def works(con: StoreConnection) -> Mapping[str, Callable[[], object]]:
    """What Compare asks of the store: a first page in an order, and how many runs match."""
    sources = [column.source for column in columns() if not column.setting]
    sorts: dict[str, Callable[[], object]] = {
        f"sorted by {sort}": lambda sort=sort: comparison(con, sources, sort, True)
        for sort in SORTS
    }
    counts: dict[str, Callable[[], object]] = {
        f"`{text}` counted": lambda text=text: comparison_count(con, text) for text in FILTERS
    }
    pages: dict[str, Callable[[], object]] = {
        f"`{text}` sorted by {sort}": lambda text=text, sort=sort: comparison(
            con, sources, sort, True, text
        )
        for text in FILTERS
        for sort in ("seed", "lr")
    }
    return sorts | counts | pages


def measured(con: StoreConnection, rounds: int) -> dict[str, float]:
    """Processor seconds of each work, which take turns."""
    each = works(con)
    times: dict[str, list[float]] = {name: [] for name in each}
    for _ in range(rounds):
        for name, work in each.items():
            began = time.process_time()
            work()
            times[name].append(time.process_time() - began)
    return {name: median(taken) for name, taken in times.items()}


def labelled(con: StoreConnection) -> tuple[int, float, float]:
    """Cells, and processor seconds of finding them and of naming them."""
    began = time.process_time()
    cells = newest_runs(counted_runs(con, Choice()))
    found = time.process_time()
    labels = stored_labels(con, cells, load_catalogue())
    return len(labels), found - began, time.process_time() - found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--finished", type=int, default=100_000, help="runs of the store")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    print(machine(default_device()))
    with tempfile.TemporaryDirectory() as folder:
        location = StoreLocation(Path(folder) / "runs.db")
        progress("making the store")
        make_store(location, 0, arguments.finished, SWEPT)
        for title in (f"{len(SWEPT)} settings of each model", "settings of its own for each run"):
            if title.startswith("settings"):
                give_settings_of_its_own(location)
            progress(title)
            with closing(connect_reader(location)) as con:
                times = measured(con, arguments.rounds)
                cells, finding, naming = labelled(con)
            rows = [
                (name, f"{1e3 * taken:.1f} ms", f"{taken / times[BASE]:.1f}")
                for name, taken in times.items()
            ]
            print(f"\n{arguments.finished:,} runs, {title}; ratio to {BASE}\n")
            print(table(("what", "processor", "ratio"), rows))
            print(f"\n{cells:,} cells: found in {finding:.2f} s, named in {naming:.2f} s")


if __name__ == "__main__":
    run(main)
