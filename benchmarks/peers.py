"""seqbench's training beside RecBole's and the reference's own way, in turns on one machine.

``make bench-peers ARGS="--datasets ml-100k --models sasrec"``. All sides have the same
interactions, split, model sizes, length, batch size, learning rate, dropout and threads, on the
CPU:

- **seqbench** trains every position of a window at once.
- **prefix** is seqbench's loop with one sample a prefix and its loss at the last position, as the
  reference trains.
- **RecBole** is driven through its own configuration, data, model and trainer.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.common import MODELS, run
from benchmarks.sides.race import Entry, Kind, Limits, interpreter, race
from benchmarks.sides.report import Result, markdown
from engine.config import Catalogue, load_catalogue
from engine.datasets.interactions import Interactions
from engine.datasets.load import load_interactions
from engine.limits import process_limits
from engine.spec import RunSpec

SIDES = ("seqbench", "prefix", "recbole")
ATOMIC = "interactions"
"""What RecBole knows a data set by; under the name ml-100k it reads a copy of its own."""
LONGEST = 100_000
"""Epochs without an improvement: no side stops by itself."""


def main() -> None:
    options = _options()
    catalogue = load_catalogue()
    if "recbole" in options.sides:
        interpreter("recbole")
    with tempfile.TemporaryDirectory(prefix="seqbench-peers-") as folder:
        for dataset in options.datasets:
            interactions = load_interactions(catalogue.dataset(dataset))
            data = Path(folder) / dataset
            if "recbole" in options.sides:
                write_atomic_file(interactions, data / ATOMIC / f"{ATOMIC}.inter")
            limits = Limits(seconds=options.seconds, target=options.target)
            specs = {
                model: catalogue.run_spec(model, dataset, options.length, options.seed)
                for model in options.models
            }
            races = {}
            for model, spec in specs.items():
                entries = _entries(catalogue, spec, data, options)
                races[model] = race(entries, data / model, options.threads, limits)
            print(markdown(Result(specs, races, limits, options.threads)), flush=True)


def write_atomic_file(interactions: Interactions, path: Path) -> None:
    """RecBole's format. The time is the place in the user's history, so that its order is ours."""
    path.parent.mkdir(parents=True)
    with path.open("w") as file:
        file.write("user_id:token\titem_id:token\ttimestamp:float\n")
        for user in range(interactions.num_users):
            start, end = interactions.offsets[user : user + 2].tolist()
            history = interactions.items[start:end].tolist()
            file.writelines(f"{user}\t{item}\t{place}\n" for place, item in enumerate(history))


def _entries(
    catalogue: Catalogue, spec: RunSpec, data: Path, options: argparse.Namespace
) -> list[Entry]:
    """The sides of one race; RecBole has no xLSTM."""

    def entry(kind: Kind, name: str, settings: dict[str, Any]) -> Entry:
        return Entry(
            kind=kind,
            name=name,
            label=f"{spec.dataset} {spec.model} {name}",
            python=interpreter(kind),
            module=f"benchmarks.sides.{'recbole' if kind == 'recbole' else 'seqbench'}_side",
            settings=settings,
        )

    def own(kind: Kind, name: str, **overrides: str | float) -> Entry:
        settings: dict[str, Any] = {
            "model": spec.model,
            "dataset": spec.dataset,
            "length": spec.length,
            "seed": spec.seed,
            "profile": "reference",
            "overrides": {"patience": LONGEST, **overrides},
        }
        catalogue.run_spec(**settings)  # what is wrong is said before anything starts
        return entry(kind, name, {"run": settings})

    entries: list[Entry] = []
    for rate in options.lr or (None,):
        note = "" if rate is None else f", lr {rate:g}"
        lr = {} if rate is None else {"lr": rate}
        if "seqbench" in options.sides:
            entries.append(own("seqbench", "seqbench" + note, **lr))
        if "prefix" in options.sides:
            entries.append(own("prefix", "prefix" + note, objective="prefix", **lr))
        if "recbole" in options.sides and spec.model != "xlstm":
            entries.append(entry("recbole", "RecBole" + note, _recbole(spec, data) | lr))
    return entries


def _recbole(spec: RunSpec, data: Path) -> dict[str, Any]:
    """What RecBole takes over from the reference profile."""
    sizes, training = spec.architecture, spec.training
    return {
        "model": spec.model,
        "dataset": ATOMIC,
        "folder": str(data),
        "length": spec.length,
        "seed": spec.seed,
        "dim": sizes.dim,
        "layers": sizes.layers,
        "heads": sizes.heads,
        "dropout": sizes.dropout,
        "lr": training.lr,
        "batch_size": training.batch_size,
        "eval_batch_size": training.eval_batch_size,
    }


def _options() -> argparse.Namespace:
    def rates(text: str) -> tuple[float, ...]:
        return tuple(float(rate) for rate in text.split(","))

    def some_of(*known: str) -> Any:
        def parse(text: str) -> tuple[str, ...]:
            names = tuple(name for name in text.split(",") if name)
            if wrong := [name for name in names if known and name not in known]:
                message = f"there is no {wrong[0]!r}: choose from {', '.join(known)}"
                raise argparse.ArgumentTypeError(message)
            return names

        return parse

    cores = process_limits().cores
    parser = argparse.ArgumentParser(
        prog="make bench-peers", description="Names in a list are separated by commas."
    )
    add = parser.add_argument
    add("--datasets", type=some_of("ml-100k", "ml-1m"), default=("ml-100k",), help="ml-100k,ml-1m")
    add("--models", type=some_of(*MODELS), default=MODELS, help=",".join(MODELS))
    add("--sides", type=some_of(*SIDES), default=SIDES, help=",".join(SIDES))
    add("--lr", type=rates, help="0.001,0.004: every side at each of these (the profile's)")
    add("--length", type=int, default=50)
    add("--seed", type=int, default=42)
    add("--threads", type=int, default=cores, help=f"of every side ({cores})")
    add("--seconds", type=float, default=200, help="most seconds of a side (200)")
    add("--target", type=float, default=0.13, help="validation Recall@10 to reach (.13)")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        run(main)
    except KeyboardInterrupt:
        sys.exit(130)
