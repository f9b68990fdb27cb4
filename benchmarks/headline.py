"""How often a report's headline tells models apart that don't differ.

``make bench-headline``. Stores of three models are simulated, each at three lengths of which
validation chooses one; the ranks of all follow one law, so that no model is better on the users
that there might be. The ranks go through the report's own functions, from the test of two cells to
the sentence. Where it calls a model best, or above or below another, it is wrong: that may be in
5 % of the stores.

The law: a rank is e to the power of

    a user's difficulty + what a model and its length make of the user + a run's luck + the rest

each normal. Mean and deviations are those of eight runs of SASRec on MovieLens 100K at length 50
that differ in seed only; what a model makes of the user varies as between SASRec and BERT4Rec on
the synthetic data set, and what a length makes of it is assumed, since two lengths of SASRec don't
differ in it there. Runs' luck is tried at three times its size too.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import MODELS, progress, run, table
from engine.analysis.costs import CostedCell
from engine.analysis.pairs.cells import RankedCell
from engine.analysis.pairs.interval import user_interval
from engine.analysis.pairs.significance import Metric, per_user
from engine.analysis.tradeoffs import tradeoffs
from engine.cell import Cell
from engine.report.blocks import Bullets
from engine.report.gather import DataGroup, Material, Wanted
from engine.report.plots import CellQuality
from engine.report.sections.scope import in_short
from engine.store.costs.runs import RunCosts

Kind = TypeVar("Kind")

LENGTHS = (50, 75, 100)
ITEMS = 1682
METRIC: Metric = "ndcg"
TOLD = re.compile(r"(?<!no model is )\bshown to be\b")
"""A headline's words for a difference; ``no model is shown to be best`` are none."""


@dataclass(frozen=True)
class Law:
    """Deviations of the logarithm of a rank."""

    mean: float
    user: float
    model: float
    length: float
    seed: float
    rest: float


REAL = Law(mean=4.32, user=1.51, model=0.55, length=0.2, seed=0.048, rest=0.525)


def simulated(
    generator: np.random.Generator, law: Law, users: int, seeds: int, better: float = 0.0
) -> Iterator[CostedCell]:
    """Yield the cells of a store, each with validation figures.

    Args:
        better: how much lower the logarithms of the first model's ranks are; 0 of models that don't
            differ.
    """
    difficulty = generator.normal(law.mean, law.user, users)
    for model in MODELS:
        of_model = difficulty + generator.normal(0, law.model, users)
        of_model -= better * (model == MODELS[0])
        for length in LENGTHS:
            of_cell = of_model + generator.normal(0, law.length, users)
            luck = generator.normal(0, law.seed, (seeds, 1))
            test, valid = (_ranks(generator, of_cell + luck, law.rest) for _ in range(2))
            figures = per_user(valid, METRIC).mean(axis=1)
            runs = tuple(
                {"run": f"{model}-{length}-{seed}", "NDCG@10/valid": float(figure), "marks": None,
                 "Model/TotalParams": None, "device": "cpu", "dtype": "float32"}
                for seed, figure in enumerate(figures)
            )  # fmt: skip
            name = Cell(model, "simulated", length, "reference", "", "")
            alike = ("simulated", 1, "leave-one-out", "")
            ranks = np.stack([test, test], axis=1)
            label = f"{model} L={length}"
            nothing = RunCosts(None, None, None, None, None, None)
            yield CostedCell(RankedCell(name, alike, runs, ranks, label), (nothing,) * seeds)


def _ranks(
    generator: np.random.Generator, score: NDArray[np.float64], rest: float
) -> NDArray[np.int32]:
    drawn = np.exp(score + generator.normal(0, rest, score.shape))
    return np.clip(drawn, 1, ITEMS).astype(np.int32)


def headline(cells: list[CostedCell]) -> str:
    """The sentence that a report begins with on these cells, as it makes it."""
    (found,) = tradeoffs(cells, METRIC, masked=False)
    group = _of(
        DataGroup,
        place=found.place,
        cells=tuple(cells),
        qualities=tuple(_quality(balance.cell) for balance in found.balances),
        tradeoffs=found,
    )
    material = _of(Material, wanted=Wanted(), groups=(group,))
    lines = next(block for block in in_short(material).blocks if isinstance(block, Bullets))
    return lines.items[0]


def _of(kind: type[Kind], **known: object) -> Kind:
    """Make one of a kind of which the headline reads what is given, and all else is empty."""
    names = (field.name for field in fields(kind))
    return kind(**(dict.fromkeys(names, ()) | known))


def _quality(cell: CostedCell) -> CellQuality:
    values = cell.cell.values(METRIC, masked=False)
    return CellQuality(cell, float(values.mean()), *user_interval(values), ())


def told(law: Law, users: int, seeds: int, stores: int, better: float = 0.0) -> list[str]:
    """The headlines that tell models apart, of so many stores (``better`` as in `simulated`)."""
    generators = (np.random.default_rng([number, users, seeds]) for number in range(stores))
    cells_of_stores = (simulated(generator, law, users, seeds, better) for generator in generators)
    headlines = (headline(list(cells)) for cells in cells_of_stores)
    return [text for text in headlines if TOLD.search(text)]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--stores", type=int, default=500)
    stores = options.parse_args().stores
    rows = []
    for users in (50, 300, 943):
        for seeds in (2, 3):
            for times in (1, 3):
                law = Law(**{**vars(REAL), "seed": times * REAL.seed})
                progress(f"{users} users, {seeds} seeds, seeds vary {times} times as much ...")
                share = len(told(law, users, seeds, stores)) / stores
                error = (share * (1 - share) / stores) ** 0.5
                rows.append([users, seeds, times, f"{100 * share:.1f} % ± {100 * error:.1f}"])
    print(table(["users", "seeds a cell", "seeds vary, times", "named a difference"], rows))


if __name__ == "__main__":
    run(main)
