"""What a run spends beside its updates: its start, recording, and evaluation.

``make bench-overhead``.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import torch

from benchmarks.common import default_device, in_turns, machine, progress, run, table
from benchmarks.instrumentation import cost
from benchmarks.start import starts
from benchmarks.workload import MODELS, Workload, workload
from engine.training.evaluation import evaluation_set, metric_columns, ranks

LENGTH = 50
EVALUATION_ROUNDS = 2


@dataclass(frozen=True)
class Evaluation:
    """Seconds of one epoch's evaluation, and of its training."""

    users: int
    evaluation: float
    update: float
    updates: int

    @property
    def share(self) -> float:
        return self.evaluation / (self.evaluation + self.update * self.updates)


def evaluation_of(work: Workload, updates: int) -> Evaluation:
    """Rank both splits over all items and with seen items masked, in turns with a few updates."""
    valid = evaluation_set(work.split, "valid", work.spec.length, work.device)
    test = evaluation_set(work.split, "test", work.spec.length, work.device)
    model, size = work.learner.evaluated, work.spec.training.eval_batch_size

    def evaluate() -> None:
        for data in (valid, test):
            metric_columns("test", ranks(model, data, size, bfloat16=work.bfloat16).cpu())

    def train() -> None:
        model.train()
        for batch in work.batches[:updates]:
            work.update(batch)

    works: dict[str, Callable[[], object]] = {"train": train, "evaluate": evaluate}
    times = in_turns(works, EVALUATION_ROUNDS, work.device)
    measured = len(work.batches[:updates])
    return Evaluation(
        users=len(test.targets),
        evaluation=min(times["evaluate"]),
        update=min(times["train"]) / measured,
        updates=work.steps_per_epoch,
    )


def start_table(model: str, datasets: list[str], rounds: int, device: torch.device) -> str:
    headers = ["run", "total, s", "fastest", "imports", "data", "model, evaluation sets"]
    rows = []
    for dataset in datasets:
        progress(f"Starting {model} × {dataset} {rounds} times ...")
        found = starts(model, dataset, LENGTH, rounds, device)
        best = min(found, key=lambda start: start.total)
        parts = (best.total, best.imports, best.data, best.set_up, best.update)
        total = f"{median(start.total for start in found):.2f}"
        rows.append((f"{model} × {dataset} × {LENGTH}", total, *(f"{x:.2f}" for x in parts)))
    return table([*headers, "first update"], rows)


def recording_table(
    models: list[str], datasets: list[str], pairs: int, device: torch.device
) -> str:
    headers = ["run", "updates/s", "epochs/s", "with recording / without", "quartiles", "counted"]
    rows = []
    for dataset in datasets:
        for model in models:
            progress(f"Training {model} × {dataset} with recording and without ...")
            work = workload(model, dataset, LENGTH, device)
            found = cost(work, pairs)
            rows.append(
                (
                    f"{model} × {dataset} × {LENGTH}",
                    f"{len(work.batches) / found.epoch:.0f}",
                    f"{1 / found.epoch:.2f}",
                    f"{found.median:.3f}",
                    f"{found.low:.3f} to {found.high:.3f}",
                    f"{found.counted:.2%}",
                )
            )
    return table(headers, rows)


def evaluation_table(models: list[str], dataset: str, updates: int, device: torch.device) -> str:
    headers = ["run", "users", "evaluation, s", "update, ms", "updates an epoch"]
    rows = []
    for model in models:
        progress(f"Evaluating {model} × {dataset} ...")
        found = evaluation_of(workload(model, dataset, LENGTH, device), updates)
        rows.append(
            (
                f"{model} × {dataset} × {LENGTH}",
                f"{found.users:,}",
                f"{found.evaluation:.2f}",
                f"{1e3 * found.update:.1f}",
                found.updates,
                f"{found.update * found.updates:.1f}",
                f"{found.share:.0%}",
            )
        )
    return table([*headers, "training, s", "evaluation's share"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overhead", description=__doc__)
    parser.add_argument("--models", nargs="+", default=list(MODELS), help="to evaluate")
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--pairs", type=int, default=8, help="of stretches of training")
    parser.add_argument("--updates", type=int, default=4, help="to scale an epoch from")
    arguments = parser.parse_args()
    device = default_device()
    print(f"Measured on {machine(device)}.\n")
    print(
        "From the start of a worker's process to the end of its first update, data prepared; "
        f"median of {arguments.starts}, then the fastest and its parts, in seconds.\n"
    )
    print(start_table("sasrec", ["ml-100k", "ml-1m"], arguments.starts, device), "\n")
    print(
        "Journal, telemetry and step report against updates alone, "
        f"{arguments.pairs} pairs in turns. Counted: the share of training time that the pieces, "
        "timed by themselves, add up to.\n"
    )
    print(recording_table(["sasrec"], ["ml-100k"], arguments.pairs, device), "\n")
    print(
        "Validation and test, both rankings, against one epoch's training, which is scaled from "
        f"{arguments.updates} updates; the fastest of {EVALUATION_ROUNDS} rounds.\n"
    )
    print(evaluation_table(arguments.models, "ml-1m", arguments.updates, device))


if __name__ == "__main__":
    run(main)
