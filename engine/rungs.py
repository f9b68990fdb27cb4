"""Rungs: the epochs after which the trials of a study with asynchronous successive halving are
compared, and most of them paused (Li et al., MLSys 2020)."""

from __future__ import annotations

from engine.files.atomic import write_atomically
from engine.files.regular import read_regular
from engine.runfolder import RunFolder

REDUCTION = 3
"""Of so many trials that reach a rung, one goes on; and so many times as many epochs has the next
rung."""

PAUSED = "paused"
"""The cause with which an attempt ends that reached a rung which its trial wasn't promoted past."""
PRUNED = "pruned"
"""The cause with which a trial ends that was paused and never promoted."""


def rungs(epochs: int) -> tuple[int, ...]:
    """Return the epochs of the rungs of trials with at most ``epochs``, none for a single one."""
    first = max(1, epochs // REDUCTION**2)
    return tuple(epoch for epoch in (first, first * REDUCTION) if epoch < epochs)


def halved(trials: int, epochs: int) -> list[int]:
    """Return the epochs that trials with at most ``epochs`` train for if none stops early and no
    more go on from a rung than have to, the fewest first."""
    found, left = [], trials
    for rung in rungs(epochs):
        further = max(1, left // REDUCTION)
        found += [rung] * (left - further)
        left = further
    return [*found, *[epochs] * left]


def is_paused(folder: RunFolder, epoch: int, epochs: int) -> bool:
    """Return whether a trial is to be paused after an epoch: at a rung that it wasn't promoted
    past."""
    return epoch in rungs(epochs) and epoch >= _promoted_to(folder)


def promote(folder: RunFolder, epoch: int) -> None:
    """Let a trial train on to a later rung's epoch, or to its last one. Raises `OSError`."""
    write_atomically(folder.promoted, str(epoch))


def _promoted_to(folder: RunFolder) -> int:
    try:
        return int(read_regular(folder.promoted))
    except (OSError, ValueError):
        return 0
