"""``python -m benchmarks.gpu``: telemetry, training, the update's forms and large data sets, on
one NVIDIA GPU, in less than nine minutes. One table after the other, and all figures as JSON.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import torch

from benchmarks.common import machine, progress, run
from benchmarks.gpu.large import SHAPES, large
from benchmarks.gpu.profile import profile
from benchmarks.gpu.report import Part
from benchmarks.gpu.steps import kernels, steps
from benchmarks.gpu.telemetry import telemetry
from benchmarks.gpu.training import speed, together
from benchmarks.workload import MODELS
from engine.errors import UserError

LENGTHS = (50, 75, 100)
DATASETS = ("ml-100k", "ml-1m")


def parts(options: argparse.Namespace) -> dict[str, Callable[[], Part]]:
    """What can be measured, in this order."""
    models, datasets, lengths = options.models, options.datasets, options.lengths
    return {
        "telemetry": telemetry,
        "speed": lambda: speed(models, datasets, lengths),
        "steps": lambda: steps(models, datasets, lengths[0], compiled=options.compiled),
        "profile": lambda: profile(models, datasets[-1:], lengths[0]),
        "kernels": lambda: kernels((64, 128, 512)),
        "large": lambda: large(models, options.shapes, lengths[0]),
        "together": lambda: together(
            models, datasets[:1], lengths[:1], options.at_once, options.seconds
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument(
        "parts",
        nargs="*",
        help="only these: telemetry speed steps profile kernels large together",
    )
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--datasets", nargs="+", default=DATASETS)
    parser.add_argument("--lengths", nargs="+", type=int, default=LENGTHS)
    parser.add_argument("--shapes", nargs="+", default=tuple(SHAPES), choices=SHAPES)
    parser.add_argument("--at-once", type=int, default=2, help="runs on the GPU, of together")
    parser.add_argument("--seconds", type=float, default=200, help="at most, of together")
    parser.add_argument("--no-compiled", dest="compiled", action="store_false")
    parser.add_argument("--json", type=Path, help="where to write all figures")
    options = parser.parse_args()
    known = parts(options)
    chosen = options.parts or list(known)
    if unknown := [name for name in chosen if name not in known]:
        parser.error(f"{', '.join(unknown)}: there are {', '.join(known)}.")
    if not torch.cuda.is_available():
        raise UserError("No NVIDIA GPU that PyTorch can use: there is nothing to measure here.")
    started, on = time.monotonic(), machine(torch.device("cuda"))
    print(f"Measured on {on}.\n", flush=True)
    done = []
    for name in chosen:
        part = known[name]()
        done.append(part)
        print(f"{part.markdown()}\n", flush=True)
        progress(f"{name}: done after {time.monotonic() - started:.0f} s")
        if options.json is not None:  # after each, so that what breaks off leaves what it had
            figures = {"machine": on, "parts": [part.figures() for part in done]}
            options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    run(main)
