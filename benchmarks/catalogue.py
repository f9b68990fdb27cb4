"""Losses over large catalogues: their time, their memory, and what sampling costs in quality.

``make bench-catalogue``; ``make bench-catalogue ARGS=--quality`` trains on a synthetic data set.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import asdict

from benchmarks.common import default_device, machine, progress, run, table
from benchmarks.losscase import LOSSES, Case, Measured
from benchmarks.quality import ITEMS, LENGTH, quality_table

MIB = 2**20
TARGETS = 4096
NEGATIVES = 256


def measure_apart(case: Case) -> Measured | None:
    """`measure` in a process of its own, whose peak memory is the case's; ``None`` if it ended
    early, as when memory runs out."""
    command = [sys.executable, "-m", "benchmarks.losscase", json.dumps(asdict(case))]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    return Measured(**json.loads(done.stdout)) if done.returncode == 0 else None


def cost_table(items: list[int], dim: int) -> str:
    rows = []
    for count in items:
        for loss in LOSSES:
            progress(f"{LOSSES[loss]}, {count:,} items ...")
            found = measure_apart(Case(loss, count, dim, TARGETS, NEGATIVES))
            cells = ["–", "out of memory"]
            if found is not None:
                cells = [f"{1e3 * found.seconds:,.0f}", f"{found.bytes / MIB:,.0f}"]
            rows.append((LOSSES[loss], f"{count:,}", *cells))
    return table(["loss", "items", "ms", "peak memory, MiB"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.catalogue", description=__doc__)
    parser.add_argument("--items", nargs="+", type=int, default=[10_000, 50_000, 200_000])
    parser.add_argument("--dim", type=int, default=128)
    parser.add_argument("--quality", action="store_true", help="train with each loss instead")
    parser.add_argument("--model", default="sasrec", help="with --quality")
    parser.add_argument("--epochs", type=int, default=8, help="with --quality")
    arguments = parser.parse_args()
    device = default_device()
    print(f"Measured on {machine(device)}.\n")
    if arguments.quality:
        print(
            f"{arguments.model} on a synthetic data set of {ITEMS:,} items, L = {LENGTH}, "
            f"{arguments.epochs} epochs: validation over all items at the best epoch.\n"
        )
        print(quality_table(arguments.model, arguments.epochs, device))
        return
    print(
        f"Forward and backward of {TARGETS:,} targets, d = {arguments.dim}, {NEGATIVES} negatives "
        "where items are sampled; the fastest of a few calls, and the most memory at a time beside "
        "weights, states and their gradients.\n"
    )
    print(cost_table(arguments.items, arguments.dim))


if __name__ == "__main__":
    run(main)
