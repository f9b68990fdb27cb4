"""How many runs at once a GPU is good for, from how its speed changed with their number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import geometric_mean, median

BEGIN = 4
"""Runs at once before anything is measured: short runs end before much is."""

GAIN = 1.005
"""How much faster all runs together must be, at least, for one more of them."""

LATEST = 5
"""Changes that are looked at with each number of runs."""

REMEMBERED_SECONDS = 60.0
"""Age from which a change says nothing any more: later runs may be others."""


@dataclass(frozen=True, slots=True)
class Change:
    """What was measured when runs began or ended beside others that went on."""

    t: float
    """When, in seconds of any clock."""
    before: int
    """Runs at once before; never as many as after."""
    after: int
    gain: float
    """Speed of all runs together after, as a multiple of that before."""


def gain(before: Mapping[str, float], after: Mapping[str, float]) -> float:
    """Return the speed of all runs together after a change, as a multiple of that before.

    Updates of different runs aren't alike, so only the runs that are in both tell how much slower
    or faster each became; those that began or ended count as being as fast as these, each in
    relation to its speed alone.

    Args:
        before: updates per second of each run, by its name.
        after: of which at least one was there before.
    """
    each = geometric_mean(after[name] / before[name] for name in after if name in before)
    return each * len(after) / len(before)


def wanted(
    changes: Sequence[Change], training: int, most: int, *, now: float, measured: bool
) -> int:
    """Return how many runs at once are worth while: the number from which one more doesn't make all
    of them together faster, but one fewer makes them slower.

    What isn't known is tried: first twice as many, whose gain is seen best and which cost nothing
    but memory; and if they aren't worth while, one fewer.

    Args:
        changes: oldest first.
        training: runs that train now.
        most: the largest answer.
        now: the time, of the changes' clock.
        measured: whether the speed of those that train now is known.
    """
    worth = _worth([change for change in changes if now - change.t <= REMEMBERED_SECONDS])
    runs = min(max(training, 1), most)
    while not worth.get(runs - 1, True):
        runs -= 1
    while runs < most and worth.get(runs, runs < BEGIN and worth.get(runs + 1, True)):
        runs += 1
    if runs == training and measured:
        if runs < most and runs not in worth:
            return min(2 * runs, most)
        if runs > 1 and runs - 1 not in worth:
            return runs - 1
    return runs


def _worth(changes: Sequence[Change]) -> dict[int, bool]:
    """Return, by a number of runs, whether one more is worth while, where that is known. Where
    several began or ended at once, each of them is taken to have changed as much."""
    steps: dict[int, list[float]] = {}
    for change in changes:
        each = change.gain ** (1 / (change.after - change.before))
        for runs in range(*sorted((change.before, change.after))):
            steps.setdefault(runs, []).append(each)
    return {runs: median(found[-LATEST:]) >= GAIN for runs, found in steps.items()}
