"""``python -m benchmarks.gpu``: training on one NVIDIA GPU, data sets of all sizes, in minutes."""

from __future__ import annotations

import argparse
from collections.abc import Callable

import torch

from benchmarks.common import MODELS, machine, run
from benchmarks.gpu.report import Part
from benchmarks.gpu.suite import measured, suites
from benchmarks.gpu.training import SHAPES, large, speed
from engine.errors import UserError

LENGTHS = (50, 75, 100)
DATASETS = ("ml-100k", "ml-1m")


def parts(options: argparse.Namespace) -> dict[str, Callable[[], Part]]:
    """What can be measured, in this order."""
    models, datasets, lengths = options.models, options.datasets, options.lengths
    return {
        "speed": lambda: speed(models, datasets, lengths),
        "large": lambda: large(models, options.shapes, lengths[0]),
        "suite": lambda: measured(
            suites(models, datasets, lengths)[: options.suites], options.slots, "gpu"
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("parts", nargs="*", help="only these: speed large suite")
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--datasets", nargs="+", default=DATASETS)
    parser.add_argument("--lengths", nargs="+", type=int, default=LENGTHS)
    parser.add_argument("--shapes", nargs="+", default=tuple(SHAPES), choices=SHAPES)
    parser.add_argument("--suites", type=int, default=3, help="of suite: the first so many of 3")
    parser.add_argument(
        "--slots", nargs="+", default=("1", "auto"), help="of suite: runs at once, alone first"
    )
    options = parser.parse_args()
    known = parts(options)
    chosen = options.parts or list(known)
    if unknown := [name for name in chosen if name not in known]:
        parser.error(f"{', '.join(unknown)}: there are {', '.join(known)}.")
    if not torch.cuda.is_available():
        raise UserError("No NVIDIA GPU that PyTorch can use: there is nothing to measure here.")
    print(f"Measured on {machine(torch.device('cuda'))}.\n", flush=True)
    for name in chosen:
        print(f"{known[name]().markdown()}\n", flush=True)


if __name__ == "__main__":
    run(main)
