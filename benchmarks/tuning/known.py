"""Samplers compared on a function that is known: what a model would reach with some settings."""

from __future__ import annotations

import math
from collections.abc import Sequence

from benchmarks.common import progress, table
from benchmarks.tuning.tables import over
from engine.spec import Range, Sampler, Space
from engine.tuning.ask import Past, Settings, ask

SPACE: Space = {
    "lr": Range(low=0.0001, high=0.01, log=True),
    "dropout": Range(low=0.0, high=0.7, step=0.1),
    "layers": Range(low=1, high=4),
    "dim": (32, 64, 128, 256),
    "heads": (1, 2, 4),
}
"""The kinds of settings that the spaces of models have. Heads don't matter."""

STEPS = (5, 10, 20, 30)
"""Numbers of trials after which the best so far is told."""


def value(settings: Settings) -> float:
    """Return a figure of at most .2, which lr=.002, dropout=.3, layers=2, dim=128 have.

    The learning rate matters most, and wide or deep models need a lower one.
    """
    width = math.log2(settings["dim"] / 128)
    rate = math.log10(settings["lr"] / 0.002) + 0.2 * width + 0.1 * (settings["layers"] - 2)
    away = rate**2 + 2 * (settings["dropout"] - 0.3) ** 2
    away += 0.05 * width**2 + 0.05 * (settings["layers"] - 2) ** 2
    return 0.2 * math.exp(-away)


def searched(sampler: Sampler, seed: int, trials: int) -> list[float]:
    """Return what each trial of a study reaches, one after the other."""
    past: list[Past] = []
    for number in range(trials):
        found = ask(SPACE, sampler, seed, number, trials, past)
        assert found is not None  # only a grid ends
        past.append(Past(found, "done", value(found)))
    return [each.value or 0.0 for each in past]


def known(samplers: Sequence[Sampler], repeats: int, trials: int) -> str:
    """A table of the best so far, the mean over studies of different seeds."""
    steps = [step for step in STEPS if step <= trials] or [trials]
    found: dict[str, list[list[float]]] = {}
    for sampler in samplers:
        progress(f"{repeats} studies of a known function by {sampler} ...")
        found[sampler] = [searched(sampler, seed, trials) for seed in range(repeats)]
    rows = [
        (sampler, *(over(max(each[:step]) for each in some) for step in steps))
        for sampler, some in found.items()
    ]
    told = [table([f"best of the first … trials, {repeats} seeds", *map(str, steps)], rows)]
    if {"tpe", "random"} <= found.keys():
        apart = [max(a) - max(b) for a, b in zip(found["tpe"], found["random"], strict=True)]
        better, worse = (sum(sign * each > 0 for each in apart) for sign in (1, -1))
        told.append(
            f"After {trials} trials, tpe is ahead by {over(apart, signed=True)}, better with "
            f"{better} seeds and worse with {worse}. The highest value is .2000."
        )
    return "\n\n".join(told)
