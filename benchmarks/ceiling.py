"""How close training comes to what its own matrix products allow.

``make bench-ceiling``. The ceiling is measured: all matrix products of a training update (forward,
backward, attention, output layer), of the same shapes, layouts and types, on the same threads, back
to back, and nothing else. Its time over the update's is the share of the ceiling that is achieved.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch

from benchmarks.common import default_device, in_turns, machine, progress, run, table
from benchmarks.products import products_of, replay, square_product
from benchmarks.stepprofile import ORDER, shares
from benchmarks.workload import MODELS, Workload, workload

ROUNDS = 7
PROFILED = 3
"""Updates that are profiled, to keep the fastest."""


@dataclass(frozen=True)
class Cell:
    """One model on one data set; times are sums over the batches."""

    name: str
    dtype: str
    batches: int
    flops: int
    """Of all matrix products."""
    update: float
    """Seconds: for every batch its fastest round."""
    ceiling: float
    """The same of the products alone."""
    shares: dict[str, float]


def measure(name: str, work: Workload, batches: int, rounds: int) -> Cell:
    """Time updates and their products in turns.

    The fastest of the rounds counts on both sides: other work on the machine only ever adds time.
    """
    works: dict[tuple[str, int], Callable[[], object]] = {}
    flops = 0
    for number, batch in enumerate(work.batches[:batches]):
        products = products_of(work.repeatable(batch, eager=True))
        flops += sum(product.flops for product in products)
        works["update", number] = work.repeatable(batch)
        works["products", number] = replay(products, work.device)
    times = in_turns(works, rounds, work.device)

    def fastest(kind: str) -> float:
        return sum(min(taken) for (its_kind, _), taken in times.items() if its_kind == kind)

    return Cell(
        name=name,
        dtype="bfloat16" if work.bfloat16 else "float32",
        batches=len(work.batches[:batches]),
        flops=flops,
        update=fastest("update"),
        ceiling=fastest("products"),
        shares=shares(work.repeatable(work.batches[0], eager=True), PROFILED, work.device),
    )


def square_rates(cells: Iterable[Cell], device: torch.device) -> str:
    """One line: what large square products reach in the types that were used."""
    words = []
    for dtype in sorted({cell.dtype for cell in cells}):
        product = square_product(getattr(torch, dtype), device)
        (taken,) = in_turns({dtype: replay([product], device)}, ROUNDS, device).values()
        words.append(
            f"{product.flops / min(taken) / 1e9:,.0f} GFLOP/s in {dtype} "
            f"({product.left.shape[0]:,} rows)"
        )
    return f"One large square product: {', '.join(words)}."


def ceiling_table(cells: Iterable[Cell]) -> str:
    headers = ["run", "type", "update, ms", "ceiling, ms", "GFLOP an update"]
    headers += ["GFLOP/s", "GFLOP/s, ceiling", "share of ceiling"]
    return table(
        headers,
        (
            (
                cell.name,
                cell.dtype,
                f"{1e3 * cell.update / cell.batches:.1f}",
                f"{1e3 * cell.ceiling / cell.batches:.1f}",
                f"{cell.flops / cell.batches / 1e9:.2f}",
                f"{cell.flops / cell.update / 1e9:,.0f}",
                f"{cell.flops / cell.ceiling / 1e9:,.0f}",
                f"{cell.ceiling / cell.update:.0%}",
            )
            for cell in cells
        ),
    )


def profile_table(cells: list[Cell]) -> str:
    rows = []
    for group in ORDER:
        columns = []
        for cell in cells:
            share = cell.shares[group]
            columns.append(f"{1e3 * share * cell.update / cell.batches:.1f} ({share:.0%})")
        rows.append((group, *columns))
    return table(["ms an update (share)", *(cell.name for cell in cells)], rows)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ceiling", description=__doc__)
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--datasets", nargs="+", default=("ml-100k", "ml-1m"))
    parser.add_argument("--lengths", nargs="+", type=int, default=(50,))
    parser.add_argument("--batches", type=int, default=3, help="different batches a run")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    arguments = parser.parse_args()
    device = default_device()
    cells = []
    for dataset in arguments.datasets:
        for model in arguments.models:
            for length in arguments.lengths:
                name = f"{model} × {dataset} × {length}"
                progress(f"Measuring {name} ...")
                work = workload(model, dataset, length, device)
                cells.append(measure(name, work, arguments.batches, arguments.rounds))
    print(f"Measured on {machine(device)}.", square_rates(cells, device), "\n")
    print(ceiling_table(cells), "\n")
    print(
        f"Updates and products take turns; of {arguments.rounds} rounds the fastest counts, for "
        "each batch. Where an update's time goes, from the profiler:\n"
    )
    print(profile_table(cells))


if __name__ == "__main__":
    run(main)
