"""Properties of a data set that may distort results, such as duplicates and ties in time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.datasets.interactions import Interactions
from engine.datasets.splitting.splits import FEWEST_EVALUATED
from engine.datasets.splitting.statistics import SplitCounts
from engine.spec import TOP_K, SplitRule

FEW_ITEMS = 50
"""Most items of which it is said what a random order of them would give."""


@dataclass(frozen=True)
class Findings:
    """Counts of the questionable interactions and users; `sentences` words them."""

    duplicates: int
    """Interactions of a user with an item of the user's earlier history."""
    same_time: int
    """Those of them at one time with another one: the same user, item and time."""
    too_short: int
    """Users with fewer than three interactions."""
    ties: int
    """Interactions with the same time as the user's previous one."""
    timeless: bool
    """Whether the source has no times."""
    backwards: int
    """Users with an interaction before one that a split that is given has in an earlier part."""


def find_problems(interactions: Interactions) -> Findings:
    """Count the problems of a data set."""
    offsets, times = interactions.offsets, interactions.times
    lengths = np.diff(offsets)
    user = np.repeat(np.arange(len(lengths)), lengths)
    keys = np.sort(user * (interactions.num_items + 1) + interactions.items)
    duplicates = int((keys[1:] == keys[:-1]).sum())
    ties = same_time = backwards = 0
    if times is not None:
        same = (times[1:] == times[:-1]) & (user[1:] == user[:-1])
        ties = int(same.sum())
        same_time = _same_time(interactions, same)
        earlier = (times[1:] < times[:-1]) & (user[1:] == user[:-1])
        backwards = len(np.unique(user[1:][earlier]))
    too_short = int((lengths < FEWEST_EVALUATED).sum())
    return Findings(duplicates, same_time, too_short, ties, times is None, backwards)


def _same_time(interactions: Interactions, same: NDArray[np.bool_]) -> int:
    """Count the interactions that equal another one before in user, item and time.

    Args:
        same: (interactions - 1,): whether each but the first has user and time of the one before.
    """
    if not len(same):
        return 0
    moment = np.concatenate([[0], np.cumsum(~same)])
    tied = np.zeros(len(moment), np.bool_)
    tied[1:] = same
    tied[:-1] |= same
    keys = moment[tied] * (interactions.num_items + 1) + interactions.items[tied]
    return len(keys) - len(np.unique(keys))


def sentences(
    found: Findings, interactions: Interactions, rule: SplitRule, split: SplitCounts
) -> list[str]:
    """Return a sentence for each problem found.

    Args:
        split: what the data set's ``rule`` makes of the interactions.
    """
    users, total = interactions.num_users, len(interactions.items)
    said = []
    if found.duplicates:
        said.append(
            f"Repeats: {_share(found.duplicates, total)} interactions are with an item the user "
            "has interacted with before. They count, in order; with seen items masked they can be "
            "the held-out item, which is never masked."
            + (
                f" {found.same_time:,} of them have the same time as another, as if logged twice."
                if found.same_time
                else ""
            )
            + " The filter `repeats` drops them."
        )
    if 0 < interactions.num_items <= FEW_ITEMS:
        chance = min(1.0, TOP_K / interactions.num_items)
        said.append(
            f"Few items: with {interactions.num_items} of them, a random order has a "
            f"Recall@{TOP_K} of {chance:.4f}."
        )
    if found.too_short and rule.kind == "leave-one-out":
        said.append(
            f"Too short: {_share(found.too_short, users)} users have fewer than "
            f"{FEWEST_EVALUATED} interactions. Leave-one-out trains on them and doesn't evaluate "
            "them; k_core drops them."
        )
    if found.timeless:
        said.append("No times: the order of the file is used as the order of time.")
    if found.backwards:
        said.append(
            f"Out of order: {_share(found.backwards, users)} users have something in training that "
            "is later than something held out, or something in validation that is later than in "
            "test. The files take precedence."
        )
    if found.ties:
        said.append(
            f"Ties: {_share(found.ties, total)} interactions have the same time as the user's "
            f"previous one. {_tied(split)} Ties keep the order of the file."
        )
    return said


def _tied(split: SplitCounts) -> str:
    """Say of how many of a split's held-out items a tie decides that they are."""
    if not split.valid_tied and not split.test_tied:
        return "No held-out item is decided by such a tie."
    test, valid = (
        _share(split.test_tied or 0, split.test_targets),
        _share(split.valid_tied or 0, split.valid_targets),
    )
    return f"Such a tie decides {test} test items, and {valid} validation items."


def _share(part: int, whole: int) -> str:
    percent = 100 * part / whole if whole else 0
    shown = "under 0.1" if 0 < percent < 0.1 else f"{percent:.1f}"
    return f"{part:,} of {whole:,} ({shown} %)"
