"""Samplers compared on functions that are known: what a model would reach with some settings."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.common import progress, table
from benchmarks.tuning.tables import interval, over
from engine.spec import Range, Sampler, Space
from engine.tuning.ask import Past, Settings, ask

STEPS = (5, 10, 20, 30)
"""Numbers of trials after which the best so far is told."""


@dataclass(frozen=True)
class Known:
    """A function of settings."""

    space: Space
    value: Callable[[Settings], float]
    noise: float = 0.0
    """Standard deviation of what a trial reaches around it."""


def _made_up(settings: Settings) -> float:
    """Return a figure of at most .2, which lr=.002, dropout=.3, layers=2, dim=128 have.

    The learning rate matters most, wide or deep models need a lower one, and heads don't matter.
    """
    width = math.log2(settings["dim"] / 128)
    rate = math.log10(settings["lr"] / 0.002) + 0.2 * width + 0.1 * (settings["layers"] - 2)
    away = rate**2 + 2 * (settings["dropout"] - 0.3) ** 2
    away += 0.05 * width**2 + 0.05 * (settings["layers"] - 2) ** 2
    return 0.2 * math.exp(-away)


MADE_UP = Known(
    {
        "lr": Range(low=0.0001, high=0.01, log=True),
        "dropout": Range(low=0.0, high=0.7, step=0.1),
        "layers": Range(low=1, high=4),
        "dim": (32, 64, 128, 256),
        "heads": (1, 2, 4),
    },
    _made_up,
)
"""With the kinds of settings that the spaces of models have."""


def searched(function: Known, sampler: Sampler, seed: int, trials: int) -> list[float]:
    """Return the function's value where the best trial so far is, after each trial of a study."""
    past: list[Past] = []
    found: list[float] = []
    for number in range(trials):
        settings = ask(function.space, sampler, seed, number, trials, past)
        assert settings is not None  # only a grid ends
        source = random.Random(f"{seed}/{settings}")
        value = function.value(settings) + source.gauss(0, function.noise)
        past.append(Past(settings, "done", value))
        best = max(past, key=lambda each: each.value or 0.0)
        found.append(function.value(best.settings))
    return found


def compared(function: Known, samplers: Sequence[Sampler], repeats: int, trials: int) -> str:
    """A table of the best so far, the mean over studies of different seeds."""
    steps = [step for step in STEPS if step <= trials] or [trials]
    found: dict[str, list[list[float]]] = {}
    for sampler in samplers:
        progress(f"{repeats} studies of a function by {sampler} ...")
        found[sampler] = [searched(function, sampler, seed, trials) for seed in range(repeats)]
    rows = [
        (sampler, *(over(each[step - 1] for each in some) for step in steps))
        for sampler, some in found.items()
    ]
    told = [table(["best of the first … trials", *map(str, steps)], rows)]
    if {"tpe", "random"} <= found.keys():
        for step in steps:
            both = zip(found["tpe"], found["random"], strict=True)
            apart = [tpe[step - 1] - chance[step - 1] for tpe, chance in both]
            better, worse = (sum(sign * each > 0 for each in apart) for sign in (1, -1))
            told.append(
                f"After {step} trials, tpe is ahead by {over(apart, signed=True)} "
                f"{interval(apart)} over {repeats} seeds, better with {better} and worse with "
                f"{worse}."
            )
    return "\n\n".join(told)
