"""Rungs: the epochs after which the trials of a study with asynchronous successive halving are
compared, and most of them paused (Li et al., MLSys 2020)."""

from __future__ import annotations

from collections.abc import Sequence

from engine.files.atomic import write_atomically
from engine.files.regular import read_regular
from engine.runfolder import RunFolder

REDUCTION = 2
"""Of so many trials that reach a rung, one goes on."""

LONGER = 3
"""So many times as many epochs as a rung has the next one."""

PAUSED = "paused"
"""The cause with which an attempt ends that reached a rung which its trial wasn't promoted past."""
PRUNED = "pruned"
"""The cause with which a trial ends that was paused and never promoted."""


def standing(state: str, cause: str | None, *, held: bool) -> str:
    """Return how a run stands: its state, or of a trial that it is paused, or was pruned.

    Args:
        held: whether it waits to be promoted.
    """
    if held:
        return PAUSED
    return PRUNED if cause == PRUNED else state


def rungs(epochs: int, patience: int) -> tuple[int, ...]:
    """Return the epochs of the rungs of trials with at most ``epochs``, none for a single one.

    Where trials mostly end long before their limit, the limit doesn't say what a few epochs are:
    the first rung is then half the patience, which is shorter than any trial. A rung leaves at
    least as many epochs as are before it.
    """
    rung = max(1, min(epochs // LONGER**2, patience // 2))
    found = []
    while 2 * rung <= epochs:
        found.append(rung)
        rung *= LONGER
    return tuple(found)


def halved(trials: int, epochs: int, at: Sequence[int]) -> list[int]:
    """Return the epochs that trials with at most ``epochs`` train for if none stops early and no
    more go on from a rung than have to, the fewest first.

    Args:
        at: the rungs.
    """
    found, left = [], trials
    for rung in at:
        further = max(1, left // REDUCTION)
        found += [rung] * (left - further)
        left = further
    return [*found, *[epochs] * left]


def is_paused(folder: RunFolder, epoch: int, at: Sequence[int]) -> bool:
    """Return whether a trial is to be paused after an epoch: at a rung that it wasn't promoted
    past.

    Args:
        at: the rungs.
    """
    return epoch in at and epoch >= _promoted_to(folder)


def promote(folder: RunFolder, epoch: int) -> None:
    """Let a trial train on to a later rung's epoch, or to its last one. Raises `OSError`."""
    write_atomically(folder.promoted, str(epoch))


def _promoted_to(folder: RunFolder) -> int:
    try:
        return int(read_regular(folder.promoted))
    except (OSError, ValueError):
        return 0
