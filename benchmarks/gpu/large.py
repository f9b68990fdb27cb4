"""Generated data of the size of MovieLens 10M and 20M: time an epoch and memory."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from benchmarks.common import progress
from benchmarks.gpu.report import Part
from benchmarks.gpu.training import PROFILE, SEED, train_alone
from engine.config import load_catalogue
from engine.datasets.interactions import Interactions, make_interactions

SHAPES = {"ml-10m": (69_878, 10_677, 10_000_054), "ml-20m": (138_493, 26_744, 20_000_263)}
"""Users, items, interactions, as GroupLens states them."""


def large(models: Sequence[str], shapes: Sequence[str], length: int) -> Part:
    headers = ["shape", "L", "model", "training, s an epoch", "evaluation, s"]
    headers += ["peak GPU memory, MiB", "utilization, %"]
    part = Part("Large data sets (generated)", headers)
    catalogue = load_catalogue()
    for name in shapes:
        progress(f"generating {name} ...")
        started = time.monotonic()
        interactions = generated(*SHAPES[name])
        part.notes.append(f"{name} was generated in {time.monotonic() - started:.0f} s.")
        for model in models:
            progress(f"{model} × {name} ...")
            spec = catalogue.run_spec(model, "ml-10m", length, SEED, PROFILE)
            row, _ = train_alone(spec, interactions, most=1)
            part.rows.append(row | {"dataset": name})
    return part


def generated(users: int, items: int, interactions: int) -> Interactions:
    """So many of each: lengths from a log-normal law of at least 20 (as MovieLens has them), items
    from a Zipf law. There is nothing to learn in it but popularity."""
    generator = np.random.default_rng(SEED)
    weights = generator.lognormal(0.0, 1.1, users)
    lengths = 20 + np.floor(weights / weights.sum() * (interactions - 20 * users)).astype(np.int64)
    lengths[: interactions - lengths.sum()] += 1
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    popularity = np.cumsum(1.0 / np.arange(1, items + 1) ** 0.9)
    drawn = np.searchsorted(popularity / popularity[-1], generator.random(interactions))
    return make_interactions((drawn + 1).astype(np.int32), offsets, items)
