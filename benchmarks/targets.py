"""What evaluation costs a target: every later item of MovieLens 1M against leave-one-out.

`python -m benchmarks.targets [--dataset NAME] [--rounds N]`: ranks the test items of both splits
with an untrained SASRec on the CPU, by turns. Figures are processor time, with that of preparing
the evaluation; what counts is their ratio.
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch

from benchmarks.common import machine, peak_resident, run, table
from engine.config import load_catalogue
from engine.datasets.load import open_data
from engine.datasets.splitting.splits import split_data
from engine.models.registry import definition_of
from engine.spec import SplitRule
from engine.training.ranking.evaluation import evaluation_set, flat_histories, ranks
from engine.training.setup import initial_learner

CPU = torch.device("cpu")
RULES = {
    "leave-one-out": SplitRule(),
    "temporal, successive": SplitRule(kind="temporal"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", default="ml-1m")
    parser.add_argument("--length", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    spec = load_catalogue().run_spec("sasrec", arguments.dataset, arguments.length, 1)
    interactions = open_data(spec.source).interactions
    model = initial_learner(spec, definition_of(spec), interactions.num_items, CPU).model
    splits = {
        name: split_data(interactions, spec.source.model_copy(update={"split": rule}))
        for name, rule in RULES.items()
    }
    prepared: dict[str, list[float]] = {name: [] for name in RULES}
    ranked: dict[str, list[float]] = {name: [] for name in RULES}
    targets = {name: len(split.users("test")) for name, split in splits.items()}
    for _ in range(arguments.rounds):
        for name, split in splits.items():
            began = time.process_time()
            flat = flat_histories(interactions, CPU)
            data = evaluation_set(split, "test", spec.length, flat)
            middle = time.process_time()
            ranks(model, data, spec.training.eval_batch_size)
            prepared[name].append(middle - began)
            ranked[name].append(time.process_time() - middle)
    rows, each = [], {}
    for name in RULES:
        before, after = statistics.median(prepared[name]), statistics.median(ranked[name])
        each[name] = (before + after) / targets[name]
        rows.append(
            [name, f"{targets[name]:,}", f"{before:.2f} s", f"{after:.2f} s",
             f"{1e6 * each[name]:.0f} µs"]
        )  # fmt: skip
    print(machine(CPU))
    print(table(["split", "targets", "prepared", "ranked", "a target"], rows))
    first, second = each.values()
    print(f"A target of {list(RULES)[1]} costs {second / first:.2f} times one of leave-one-out.")
    print(f"Peak memory of the process: {peak_resident() / 2**20:,.0f} MiB")


if __name__ == "__main__":
    run(main)
