"""Orders: cells, seeds and settings as typed, not yet checked against a configuration.

Light to import, so that forms and options are read without the configuration's classes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.errors import UsageError, shown

if TYPE_CHECKING:
    from engine.spec import CellKey, Overrides

DEFAULT_SEEDS = (42,)
DEFAULT_LENGTHS = (50,)
"""Seeds and lengths of an order if neither a suite nor the user gives any."""

MOST_SEEDS = 1000
"""Largest number of seeds in an order."""

ENOUGH_SEEDS = 3
"""Seeds per cell that are proposed instead of one, which allows no conclusion about differences."""

_SEEDS = 2**31
"""Seeds are smaller."""


@dataclass(frozen=True)
class Order:
    """Runs that the user asks for (`engine.planning` makes orders, and plans their runs)."""

    cells: frozenset[CellKey] = frozenset()
    seeds: tuple[int, ...] = DEFAULT_SEEDS
    profile: str = "reference"
    overrides: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    """Settings in place of the profile's, those of the suite included."""
    suite: str | None = None
    """The suite that was named, whether or not all of the runs are still of it."""
    variants: Mapping[str, Overrides] = field(default_factory=dict)
    """The suite's; each cell is run once for each of them."""


def parse_seeds(text: str) -> tuple[int, ...]:
    """Read ``42``, ``1, 2, 3`` or ``1-5``, in that order, each once. Raises `UsageError`."""
    seeds: list[int] = []
    for word in _words(text, "Seeds"):
        match = re.fullmatch(r"(\d{1,10})(?:-(\d{1,10}))?", word)
        if not match:
            raise UsageError(f"Seeds are whole numbers such as 42 or 1-5, not {shown(word)}.")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise UsageError(f"{word} counts backwards: write {last}-{first}.")
        if last >= _SEEDS:
            raise UsageError(f"Seeds are smaller than {_SEEDS}, but {last} isn't.")
        if last - first + len(seeds) >= MOST_SEEDS:
            raise UsageError(f"At most {MOST_SEEDS:,} seeds at a time.")
        seeds += range(first, last + 1)
    return tuple(dict.fromkeys(seeds))


def more_seeds(seed: int) -> tuple[int, ...]:
    """Return a seed and the next ones after it, as many as are enough."""
    return tuple((seed + more) % _SEEDS for more in range(ENOUGH_SEEDS))


def parse_lengths(text: str) -> tuple[int, ...]:
    """Read ``50, 75``: sorted, each once. Raises `UsageError`."""
    lengths = set()
    for word in _words(text, "Lengths"):
        if not re.fullmatch(r"\d{1,6}", word) or not 2 <= int(word) <= 65_536:
            raise UsageError(f"Lengths are whole numbers from 2 to 65,536, not {shown(word)}.")
        lengths.add(int(word))
    return tuple(sorted(lengths))


def parse_settings(text: str) -> dict[str, str]:
    """Read lines of ``key=value``; several on one line are fine too. Raises `UsageError`."""
    settings: dict[str, str] = {}
    for word in re.sub(r"[ \t]*=[ \t]*", "=", text).replace(",", " ").split():
        key, separator, value = word.partition("=")
        if not separator or not key or not value:
            raise UsageError(f"Settings are KEY=VALUE, such as epochs=20, not {shown(word)}.")
        if key in settings:
            raise UsageError(f"{shown(key)} is set twice.")
        settings[key] = value
    return settings


def settings_text(overrides: Mapping[str, str | int | float | bool]) -> dict[str, str]:
    """Write settings so that `parse_settings` and YAML read the same values."""
    return {
        key: str(value).lower() if isinstance(value, bool) else str(value)
        for key, value in overrides.items()
    }


def _words(text: str, what: str) -> list[str]:
    words = re.sub(r"\s*-\s*", "-", text).replace(",", " ").split()
    if not words:
        raise UsageError(f"{what} can't be empty.")
    return words
