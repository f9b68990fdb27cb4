"""Whether ``torch.compile`` pays: what it takes to warm up, and what an update gains by it.

``make bench-compiled``. The layers are compiled; the loss is written out by hand already.
"""

from __future__ import annotations

import argparse

import torch
from torch import Tensor

from benchmarks.common import default_device, in_turns, machine, progress, run, seconds, table
from benchmarks.workload import MODELS, Workload, workload
from engine.training.objectives import objective_of, target_capacity
from engine.training.update import Update, make_update


def compiled_update(work: Workload) -> Update:
    """The update with its layers compiled, for batches of the same shape."""
    objective = objective_of(work.spec)
    return make_update(
        work.learner,
        objective,
        _items(work),
        target_capacity(objective, work.batches[0], work.spec.training.batch_size),
        bfloat16=work.bfloat16,
        compiled=True,
    )


def _items(work: Workload) -> Tensor:
    return torch.from_numpy(work.split.interactions.items).to(work.device)


def row(work: Workload, rounds: int) -> tuple[str, ...]:
    batch = work.batches[0]
    compiled = compiled_update(work)
    first = seconds(lambda: compiled(batch), work.device)
    times = in_turns(
        {"plain": lambda: work.eager(batch), "compiled": lambda: compiled(batch)},
        rounds,
        work.device,
    )
    plain, fast = (min(times[name]) for name in ("plain", "compiled"))
    gain = plain - fast
    pays = f"{first / gain / work.steps_per_epoch:,.0f}" if gain > 0 else "never"
    spec = work.spec
    return (
        f"{spec.model}, {spec.dataset}",
        *(f"{1e3 * value:.1f}" for value in (plain, fast)),
        f"{first:.1f}",
        pays,
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compiled", description=__doc__)
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--datasets", nargs="+", default=["ml-100k"])
    parser.add_argument("--length", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=10)
    arguments = parser.parse_args()
    device = default_device()
    print(f"Measured on {machine(device)}; L = {arguments.length}, the fastest of several.\n")
    rows = []
    for dataset in arguments.datasets:
        for model in arguments.models:
            progress(f"{model}, {dataset} ...")
            rows.append(row(workload(model, dataset, arguments.length, device), arguments.rounds))
    headers = ["run", "update, ms", "compiled, ms", "first call, s", "pays after epochs"]
    print(table(headers, rows))


if __name__ == "__main__":
    run(main)
