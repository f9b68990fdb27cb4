"""Judging a data set: fits the models that have no weights, in order and shuffled."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.datasets.splitting.splits import SplitData
from engine.datasets.splitting.targets import HeldOut
from engine.errors import TrainingError
from engine.files.regular import open_regular
from engine.fitted import settings_to_try
from engine.judge.ask import StoredFit
from engine.judge.judgement import MISS, FittedRanks, Judgement
from engine.judge.models import FITTED, SEQUENTIAL
from engine.judge.order import SEED, Fit, fit_in_order, fit_shuffled
from engine.judge.size import MOST_FITTED, MOST_RANKED, too_large
from engine.models.load import load_definition
from engine.progress import OnProgress, untold
from engine.results.files import read_array
from engine.results.users import with_several


def judge(
    split: SplitData,
    length: int,
    stored: Mapping[str, StoredFit] | None = None,
    on_progress: OnProgress = untold,
    *,
    most_fitted: int = MOST_FITTED,
    most_ranked: int = MOST_RANKED,
) -> Judgement:
    """Judge a data set.

    Args:
        length: L, the most recent items that a model sees.
        stored: runs whose ranks are used in place of fitting again, by model.
        on_progress: told how many combinations of settings are fitted.
        most_fitted: training interactions to fit to; of more, those of a sample of users.
        most_ranked: true items to rank in validation, and in test; of more, those of a sample of
            users.
    """
    began = time.process_time()
    users, tied = len(split.test.evaluated), split.tied("test")
    found = Judgement(
        length=length,
        users=users,
        targets=len(split.users("test")),
        cold=int(split.cold("test").sum()),
        tied=None if tied is None else int(tied.sum()),
    )
    if users < 2:
        return found
    sample, fitted_users, places = _sample(split, most_fitted, most_ranked)
    several = with_several(sample.users("test"))
    owners = sample.users("test").astype(np.int32) if several else None
    interactions = int((sample.train_end - split.interactions.offsets[:-1]).sum())
    # What was fitted to all histories isn't what a sample gives.
    usable = stored if stored and fitted_users is None else {}
    progress = _Progress(on_progress, [name for name in FITTED if name not in usable])
    floors: list[FittedRanks] = []
    left_out: list[str] = []
    for name in FITTED:
        title = load_definition(name).title
        fit = _read(usable[name], found.targets, places) if name in usable else None
        try:
            if fit is None:
                if problem := too_large(name, title, split.interactions.num_items, interactions):
                    raise TrainingError("data", problem)
                fit = fit_in_order(name, sample, length, progress.fitted)
        except TrainingError as error:
            left_out.append(f"{title} is left out: {error}")
            progress.left_out(name)
            continue
        floors.append(_clipped(name, title, fit, owners))
    title = load_definition(SEQUENTIAL).title
    shuffled = fit_shuffled(SEQUENTIAL, sample, length, SEED, progress.fitted)
    return replace(
        found,
        floors=tuple(floors),
        shuffled=_clipped(SEQUENTIAL, title, shuffled, owners),
        left_out=tuple(left_out),
        places=places,
        ranked_users=None if places is None else len(sample.test.evaluated),
        fitted_users=fitted_users,
        seconds=time.process_time() - began,
    )


def _sample(
    split: SplitData, most_fitted: int, most_ranked: int
) -> tuple[SplitData, int | None, NDArray[np.int32] | None]:
    """Take samples where a data set is large.

    Returns:
        The split with the histories that are fitted to and the users that are ranked for, how many
        users are fitted to, and the places among all test items; ``None`` for all of them.
    """
    own, draw = split.interactions, np.random.default_rng(SEED)
    counts = split.train_end - own.offsets[:-1]
    train_end, fitted_users = split.train_end, None
    if counts.sum() > most_fitted:
        order = draw.permutation(own.num_users)
        chosen = order[np.cumsum(counts[order]) <= most_fitted]
        train_end = own.offsets[:-1].copy()
        train_end[chosen] = split.train_end[chosen]
        fitted_users = len(chosen)
    valid, _ = _fewer(split.valid, most_ranked, draw)
    test, places = _fewer(split.test, most_ranked, draw)
    return replace(split, train_end=train_end, valid=valid, test=test), fitted_users, places


def _fewer(
    held_out: HeldOut, most: int, draw: np.random.Generator
) -> tuple[HeldOut, NDArray[np.int32] | None]:
    """Return the targets of as many random users as have at most this many, of at least two users,
    and their places."""
    targets, users = len(held_out.users), len(held_out.evaluated)
    if targets <= most:
        return held_out, None
    some = draw.choice(users, max(2, min(users, most * users // targets)), replace=False)
    rows = held_out.rows(np.sort(some))
    return held_out.at(rows), rows.astype(np.int32)


def _read(stored: StoredFit, targets: int, places: NDArray[np.int32] | None) -> Fit | None:
    """Read a run's ranks; ``None`` if they can't be read, or aren't of these targets."""
    try:
        with open_regular(Path(stored.ranks)) as file:
            ranks = read_array(file)
    except (OSError, ValueError):
        return None
    if ranks.shape != (2, targets) or ranks.dtype != np.int32:
        return None
    return Fit(stored.valid, ranks if places is None else ranks[:, places])


def _clipped(model: str, title: str, fit: Fit, users: NDArray[np.int32] | None) -> FittedRanks:
    return FittedRanks(model, title, fit.valid, np.clip(fit.ranks[0], 1, MISS), users)


class _Progress:
    """Counts the combinations of settings that were fitted, with those of the shuffle test."""

    def __init__(self, on_progress: OnProgress, names: list[str]) -> None:
        self._tell = on_progress
        self._done = 0
        self._total = sum(map(_combinations, (*names, SEQUENTIAL)))
        on_progress(0, self._total)

    def fitted(self) -> None:
        self._done += 1
        self._tell(self._done, self._total)

    def left_out(self, name: str) -> None:
        self._total -= _combinations(name)


def _combinations(name: str) -> int:
    return len(settings_to_try({}, load_definition(name).grid))
