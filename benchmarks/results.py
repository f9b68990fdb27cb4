"""A suite's results: mean and deviation over seeds, and the interval over test users.

``make bench-results ARGS=tuned-100k`` trains what the suite lacks, in the store that `seqbench`
would use, and prints the table. Metrics are those of the epoch chosen on validation.
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from statistics import fmean, stdev

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import run, table
from engine.analysis.comparison import Row, compare_rows
from engine.analysis.pairs.significance import per_user, user_interval
from engine.config import load_catalogue
from engine.errors import UserError
from engine.runfolder import run_folder
from engine.spec import RunSpec
from engine.store.connect import connect_reader
from engine.store.location import StoreLocation, store_location
from engine.store.queries import present_runs

METRICS = ("Recall@10/test", "NDCG@10/test")
MASKED = " (seen masked)"


@dataclass(frozen=True)
class Result:
    """One run that is done."""

    spec: RunSpec
    row: Row
    ranks: NDArray[np.int32]
    """(2, users): ranks of the test items, over all items and with seen items masked."""


def results(location: StoreLocation, specs: Sequence[RunSpec]) -> Iterator[Result]:
    """The newest run of each spec, where it is done."""
    with closing(connect_reader(location)) as connection:
        rows = {row["run"]: row for row in compare_rows(connection)}
        for spec in specs:
            runs = present_runs(connection, spec.fingerprint())
            done = next((found.id for found in runs if found.state == "done"), None)
            if done is not None:
                ranks = np.load(run_folder(location.runs, done).test_ranks, allow_pickle=False)
                yield Result(spec, rows[done], ranks)


def hits(cell: Sequence[Result], ranking: int) -> NDArray[np.float64]:
    """Each user's hit at 10, once a seed: (seeds, users)."""
    return per_user(np.stack([each.ranks[ranking] for each in cell]), "hit")


def _cell_of(result: Result) -> tuple[object, ...]:
    spec = result.spec
    return spec.model, spec.dataset, spec.length, spec.recipe


def _row(cell: Sequence[Result]) -> tuple[str, ...]:
    first = cell[0].spec
    figures = []
    for ranking, label in enumerate(("", MASKED)):
        low, high = user_interval(hits(cell, ranking))
        recall, ndcg = (_spread(cell, metric + label) for metric in METRICS)
        figures += [f"{recall} [{_short(low)}, {_short(high)}]", ndcg]
    return (
        f"{first.model} {first.recipe}",
        first.dataset,
        str(first.length),
        f"{cell[0].row['Model/TotalParams']:,}",
        str(len(cell)),
        _spread(cell, "NDCG@10/valid"),
        *figures,
        *(f"{_mean(cell, name):,.0f}" for name in ("BestEpoch", "TotalTime")),
    )


def _values(cell: Sequence[Result], name: str) -> list[float]:
    return [math.nan if (value := each.row[name]) is None else float(value) for each in cell]


def _mean(cell: Sequence[Result], name: str) -> float:
    return fmean(_values(cell, name))


def _spread(cell: Sequence[Result], name: str) -> str:
    values = _values(cell, name)
    return _short(fmean(values)) + (f" ± {_short(stdev(values))}" if len(values) > 1 else "")


def _short(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench-results", description=__doc__)
    parser.add_argument("suite")
    parser.add_argument("--db", type=Path, help="the store (./runs.db)")
    parser.add_argument("--no-run", action="store_true", help="only what is done already")
    options = parser.parse_args()
    specs = load_catalogue().expand(load_catalogue().suite(options.suite))
    location = store_location(options.db)
    if not options.no_run:
        seqbench = Path(sys.executable).with_name("seqbench")
        where = ["--db", str(location.db)]
        subprocess.run([seqbench, *where, "run", "--suite", options.suite, "--wait"], check=False)
    done = list(results(location, specs)) if location.db.exists() else []
    if not done:
        raise UserError(f"No run of {options.suite} is done in {location.db}.")
    rows = [_row(list(cell)) for _, cell in groupby(done, key=_cell_of)]
    ranked = [f"{metric}{label}" for label in ("", MASKED) for metric in ("Recall@10", "NDCG@10")]
    headers = [
        "recipe",
        "data set",
        "L",
        "parameters",
        "seeds",
        "valid NDCG@10",
        *ranked,
        "epoch",
        "s a run",
    ]
    print(
        f"{done[0].spec.source.title}, {done[0].row['device']}, PyTorch {done[0].row['torch']}.\n"
    )
    print(table(headers, rows))


if __name__ == "__main__":
    run(main)
