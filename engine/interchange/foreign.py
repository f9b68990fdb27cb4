"""What was read of runs that another program trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MOST_SECONDS = 1e11
"""Since 1970: the year 5138. What is said to be later is no time."""


@dataclass(frozen=True)
class Moment:
    """An epoch: its number, when it ended (seconds since 1970), and its figures by measure."""

    epoch: int
    t: float
    figures: Mapping[str, float]


@dataclass(frozen=True)
class History:
    """What was read of one run."""

    source: str
    """The folder or file, for people."""
    told: Mapping[str, str]
    """What it tells of `PLACE`, as it is written there."""
    moments: Sequence[Moment]
    """By epoch."""


@dataclass(frozen=True)
class Read:
    """What a source holds."""

    histories: list[History]
    passed_over: list[str]
    """A sentence for each part that holds nothing that is known, or is damaged."""
