"""What a position costs as histories grow longer: forward and backward of the layers alone.

``make bench-lengths``. Batches have as many positions at every length, so that times compare.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import torch

from benchmarks.common import MODELS, default_device, in_turns, machine, progress, run, table
from engine.config import load_catalogue
from engine.models.registry import definition_of
from engine.training.setup import uses_bfloat16

POSITIONS = 1 << 14
"""In a batch, at every length."""


def work_of(model: str, dataset: str, length: int, device: torch.device) -> Callable[[], None]:
    """Forward and backward of a batch of whole histories."""
    spec = load_catalogue().run_spec(model, dataset, length, 42)
    torch.manual_seed(0)
    network = (
        definition_of(spec)
        .build(spec.architecture.settings, spec.source.items, length)
        .to(device)
        .train()
    )
    shape = (POSITIONS // length, length)
    items = torch.randint(1, spec.source.items + 1, shape, device=device)
    bfloat16 = uses_bfloat16(spec.training, device)

    def work() -> None:
        with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
            states = network.hidden(items)
        torch.autograd.backward(states.float().sum())
        network.zero_grad()

    return work


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lengths", description=__doc__)
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--dataset", default="ml-1m", help="whose sizes the models have")
    parser.add_argument("--lengths", nargs="+", type=int, default=[64, 128, 256, 512, 1024])
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    device = default_device()
    rows = []
    for model in arguments.models:
        progress(f"{model} ...")
        works = {n: work_of(model, arguments.dataset, n, device) for n in arguments.lengths}
        times = in_turns(works, arguments.rounds, device)
        rows.append((model, *(f"{1e6 * min(times[n]) / POSITIONS:.2f}" for n in works)))
    print(f"Measured on {machine(device)}; sizes of {arguments.dataset}, the fastest of several.\n")
    print(table(["µs per position", *(f"L = {n:,}" for n in arguments.lengths)], rows))


if __name__ == "__main__":
    run(main)
