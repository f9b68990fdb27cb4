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
    from engine.spec import CellKey, Overrides, Sweep

DEFAULT_SEEDS = (42,)
DEFAULT_LENGTHS = (50,)
"""Seeds and lengths of an order if neither a suite nor the user gives any."""

MOST_SEEDS = 1000
"""Largest number of seeds in an order."""

ENOUGH_SEEDS = 3
"""Seeds per cell that are proposed instead of one, which allows no conclusion about differences."""

_SEEDS = 2**31
"""Seeds are smaller."""

_ITEM = re.compile(r"(?:\[[^\]\n]*\]|[^\s,\[]|\[)+")
"""A setting or a further value of one. What is in brackets is a single value, that is a list."""


@dataclass(frozen=True)
class Order:
    """Runs that the user asks for (`engine.planning` makes orders, and plans their runs)."""

    cells: frozenset[CellKey] = frozenset()
    seeds: tuple[int, ...] = DEFAULT_SEEDS
    profile: str = "reference"
    overrides: Mapping[str, Sweep] = field(default_factory=dict)
    """Settings in place of the profile's, those of the suite included; each cell is run with every
    combination of their values."""
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


def parse_settings(text: str) -> dict[str, str | tuple[str, ...]]:
    """Read lines of ``key=value`` or, to sweep over several values, ``key=value,value``; several
    settings on one line are fine too. Raises `UsageError`."""
    settings: dict[str, list[str]] = {}
    key, end = "", 0
    text = re.sub(r"[ \t]*=[ \t]*", "=", text)
    for found in _ITEM.finditer(text):
        item, listed = found[0], "," in text[end : found.start()]
        end = found.end()
        name, separator, value = item.partition("=")
        if key and listed and not separator:
            settings[key].append(item)
            continue
        if not separator or not name or not value:
            raise UsageError(f"Settings are KEY=VALUE, such as epochs=20, not {shown(item)}.")
        if name in settings:
            raise UsageError(f"{shown(name)} is set twice: {name}=1,2 would run both.")
        settings[name], key = [value], name
    return {name: tuple(some) if len(some) > 1 else some[0] for name, some in settings.items()}


def settings_text(overrides: Mapping[str, Sweep]) -> dict[str, str]:
    """Write settings so that `parse_settings` and YAML read the same values."""
    return {
        key: ",".join(map(_text, sweep)) if isinstance(sweep, tuple) else _text(sweep)
        for key, sweep in overrides.items()
    }


def _text(value: str | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _words(text: str, what: str) -> list[str]:
    words = re.sub(r"\s*-\s*", "-", text).replace(",", " ").split()
    if not words:
        raise UsageError(f"{what} can't be empty.")
    return words
