"""Rating files of the shape of published ones, in their layout: for measuring at full size."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

CHUNK = 1_000_000
FIRST_TIME, LAST_TIME = 789_652_009, 1_231_131_736
"""The first and the last rating of MovieLens 10M, in seconds since 1970."""


@dataclass(frozen=True)
class Shape:
    """How large a generated file is; its users have 20 ratings or more, as MovieLens' have."""

    users: int
    items: int
    interactions: int
    separator: str
    header: str = ""


TEN_MILLION = Shape(69_878, 10_677, 10_000_054, "::")
TWENTY_MILLION = Shape(138_493, 26_744, 20_000_263, ",", "userId,movieId,rating,timestamp\n")


def write_ratings(path: Path, shape: Shape, seed: int = 0) -> None:
    """Users in order, each one's ratings by item, as in MovieLens; every item occurs."""
    generator = np.random.default_rng(seed)
    lengths = drawn_lengths(shape, generator)
    users = np.repeat(np.arange(1, shape.users + 1), lengths)
    items = drawn_items(shape, generator)
    times = np.sort(generator.integers(FIRST_TIME, LAST_TIME, shape.users))[users - 1]
    times += generator.integers(0, 90 * 86_400, len(users))
    order = np.lexsort((items, users))
    items, times = items[order], times[order]
    halves = generator.integers(1, 11, len(users))
    words = np.array(["", "0.5", "1", "1.5", "2", "2.5", "3", "3.5", "4", "4.5", "5"], object)
    line = shape.separator.join(["%d", "%d", "%s", "%d"]) + "\n"
    with path.open("w", newline="") as file:
        file.write(shape.header)
        for first in range(0, len(users), CHUNK):
            part = slice(first, first + CHUNK)
            columns = (users[part], items[part], words[halves[part]], times[part])
            rows = zip(*(column.tolist() for column in columns), strict=True)
            file.write("".join([line % row for row in rows]))


def drawn_lengths(shape: Shape, generator: np.random.Generator) -> NDArray[np.int64]:
    """Log-normal above 20, as MovieLens' are, to the interactions' sum."""
    extra = generator.lognormal(0, 1.3, shape.users)
    rest = shape.interactions - 20 * shape.users
    lengths = 20 + np.floor(extra * rest / extra.sum()).astype(np.int64)
    lengths[: shape.interactions - int(lengths.sum())] += 1
    return lengths


def drawn_items(shape: Shape, generator: np.random.Generator) -> NDArray[np.int64]:
    popularity = 1 / (np.arange(1, shape.items + 1) + 30) ** 1.1
    bounds = np.cumsum(popularity / popularity.sum())[:-1]
    drawn = np.searchsorted(bounds, generator.random(shape.interactions), side="right") + 1
    drawn[generator.permutation(shape.interactions)[: shape.items]] = np.arange(1, shape.items + 1)
    return drawn
