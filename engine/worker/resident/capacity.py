"""How many runs at once a GPU is good for, from how fast it was with different numbers of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

BEGIN = 4
"""Runs at once before anything is measured: short runs end before much is."""

GAIN = 1.05
"""How much faster all runs together must be, at least, for one more of them."""

ENOUGH = 3
"""Windows with a number of runs that tell its speed."""

PATIENT = 60
"""Windows with several runs, of which one isn't known alone, after which that is worth knowing."""

LATEST = 12
"""Windows that are looked at with each number of runs: later runs may be others."""


@dataclass(frozen=True, slots=True)
class Window:
    """What was measured in about half a second in which the same runs trained."""

    runs: int
    updates_per_second: float
    """Of all of them together."""


def wanted(windows: Sequence[Window], most: int) -> int:
    """Return how many runs at once are worth while: one more as long as that makes all of them
    together faster, one fewer where it didn't.

    Args:
        windows: oldest first.
        most: the largest answer.
    """
    by_runs: dict[int, list[float]] = {}
    for window in windows:
        by_runs.setdefault(window.runs, []).append(window.updates_per_second)
    speeds = {
        runs: median(found[-LATEST:]) for runs, found in by_runs.items() if len(found) >= ENOUGH
    }
    if 1 not in speeds and len(windows) >= PATIENT:
        return 1
    if max(speeds, default=0) < min(BEGIN, most) and 1 not in speeds:
        return min(BEGIN, most)
    return min(max(1, _worth_while(speeds)), most)


def _worth_while(speeds: Mapping[int, float]) -> int:
    """Return the number after the largest that was worth while, if that one isn't known yet."""
    known = sorted(speeds)
    best = known[0]
    for runs in known[1:]:
        if speeds[runs] < speeds[best] * GAIN:
            return best
        best = runs
    return best + 1
