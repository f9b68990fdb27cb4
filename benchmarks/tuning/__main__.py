"""``python -m benchmarks.tuning``: what samplers and pruning are worth, and what they cost.

``known`` compares samplers on a function; ``studies`` makes studies through the supervisor, of each
seed one of each sampler with each way of pruning, on a GPU if there is one. Whatever ends the
studies early, there are tables of those that have ended.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import get_args

from benchmarks.common import default_device, machine, run
from benchmarks.tuning.known import MADE_UP, Known, compared
from benchmarks.tuning.record import StudyRecord, read_records, write_records
from benchmarks.tuning.replay import replayed
from benchmarks.tuning.smoothed import smoothed
from benchmarks.tuning.studies import Wanted, executed
from benchmarks.tuning.tables import tables
from engine.errors import UserError
from engine.spec import Prune, Sampler

PARTS = ("known", "studies", "smoothed", "replay")


def main() -> None:
    options = _options()
    parts = options.parts or PARTS
    if unknown := [name for name in parts if name not in PARTS]:
        raise UserError(f"{', '.join(unknown)}: there are {', '.join(PARTS)}.")
    if {"smoothed", "replay"} & {*parts} and "studies" not in parts and options.record is None:
        raise UserError("Name the file of studies by --record, or add the part studies.")
    print(f"Measured on {machine(default_device())}.\n", flush=True)
    if "known" in parts:
        print(f"## A known function\n\n{_known(options, MADE_UP)}\n", flush=True)
    if "studies" in parts:
        print(f"## Studies of {options.model} on {options.dataset}\n", flush=True)
        studies = _studies(options)
        print(f"{tables(studies)}\n", flush=True)
    elif {"smoothed", "replay"} & {*parts}:
        studies = read_records(options.record)
    if "smoothed" in parts:
        function, words = smoothed(studies)
        print(f"## The function that the trials follow\n\n{words}", flush=True)
        print(f"\n{_known(options, replace(function, noise=0.0))}", flush=True)
        print(f"\nThe same with noise:\n\n{_known(options, function)}\n", flush=True)
    if "replay" in parts:
        print("## Successive halving, replayed\n", flush=True)
        print(f"{replayed(studies, options.draws)}\n", flush=True)


def _known(options: argparse.Namespace, function: Known) -> str:
    return compared(function, options.samplers, options.known_repeats, options.known_trials)


def _studies(options: argparse.Namespace) -> list[StudyRecord]:
    wanted = Wanted(
        options.samplers,
        options.prunes,
        options.repeats,
        options.trials,
        options.model,
        options.dataset,
        options.length,
        options.final_seeds,
        options.settings,
        [path.resolve() for path in options.spaces],
        options.at_once,
        options.slots,
        options.seconds,
    )
    with ExitStack() as stack:
        folder = options.store
        if folder is None:
            made = tempfile.TemporaryDirectory(prefix="seqbench-tuning-")
            folder = Path(stack.enter_context(made))
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise UserError(f"{folder} isn't empty: name another folder for the store.")
        found = executed(wanted, folder, partial(_keep, options.record))
    _keep(options.record, found)
    return found


def _keep(path: Path | None, studies: Sequence[StudyRecord]) -> None:
    if path is not None:
        write_records(path, studies)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tuning", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"only these: {' '.join(PARTS)}")
    samplers, prunes = get_args(Sampler), get_args(Prune)
    parser.add_argument("--samplers", nargs="+", default=("tpe", "random"), choices=samplers)
    parser.add_argument("--prunes", nargs="+", default=("none", "asha"), choices=prunes)
    parser.add_argument("--repeats", type=int, default=5, help="seeds of studies")
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--model", default="sasrec")
    parser.add_argument("--dataset", default="ml-100k")
    parser.add_argument("--length", type=int, default=50)
    parser.add_argument("--final-seeds", type=int, default=3)
    parser.add_argument(
        "--set", dest="settings", nargs="+", default=(), metavar="KEY=VALUE",
        help="what all trials have",
    )  # fmt: skip
    parser.add_argument("--spaces", nargs="+", type=Path, default=(), help="what is tried instead")
    parser.add_argument("--at-once", type=int, default=8, help="studies under way")
    parser.add_argument("--slots", default="auto", help="runs at once on each device")
    parser.add_argument("--seconds", type=float, help="of studies, at most")
    parser.add_argument("--store", type=Path, help="an empty folder, which stays")
    parser.add_argument("--record", type=Path, help="a file for what the trials reached (JSON)")
    parser.add_argument("--known-repeats", type=int, default=20, help="seeds on functions")
    parser.add_argument("--known-trials", type=int, default=30)
    parser.add_argument("--draws", type=int, default=300, help="of the replay's trials")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
