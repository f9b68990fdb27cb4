"""The shuffle test: how much a model loses when the order of histories is destroyed.

A model that uses the order of a history is worth its cost only on data whose order says something.
If shuffled histories give about the same results, the data can't tell such models from models of
sets (after Klenitskiy et al., Does It Look Sequential?, RecSys 2024).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from engine.datasets.interactions import Interactions, make_interactions
from engine.datasets.splits import Split, SplitData
from engine.fitted import settings_to_try
from engine.metrics import SELECTION
from engine.models.base import FittedModel, Model, TimedModel
from engine.models.load import load_definition
from engine.training.evaluation import evaluation_set, metric_columns, ranks
from engine.training.fitting import train_histories

SEED = 1
BATCH = 512
"""Users that are ranked for at once."""


@dataclass(frozen=True)
class Fit:
    """A fitted model's ranks, with the settings that validation chooses."""

    valid: float
    """NDCG@10 on validation, over all items."""
    ranks: NDArray[np.int32]
    """(2, users) of test: among all items, and with seen ones masked."""


def fit_in_order(
    model: str, split: SplitData, length: int, on_fit: Callable[[], object] = lambda: None
) -> Fit:
    """Fit a model to the training histories, and rank the test items.

    Args:
        model: the name of a fitted model that comes with seqbench.
        length: L, the most recent items that it sees.
        on_fit: called after each combination of settings.

    Raises:
        TrainingError: the model can't be fitted to these data.
    """
    return _fit(model, split, split, split, length, on_fit)


def fit_shuffled(
    model: str,
    split: SplitData,
    length: int,
    seed: int = SEED,
    on_fit: Callable[[], object] = lambda: None,
) -> Fit:
    """Fit a model to shuffled training histories, and rank the test items after shuffled ones.

    Validation histories are shuffled too: settings are chosen as they serve without order.
    Arguments are those of `fit_in_order`; of each history the last ``length`` items before the
    target are shuffled.
    """
    return _fit(
        model,
        replace(split, interactions=shuffled_training(split, seed)),
        shuffled_before(split, "valid", length, seed),
        shuffled_before(split, "test", length, seed),
        length,
        on_fit,
    )


def ranks_without_order(
    model: Model, split: SplitData, length: int, device: torch.device, seed: int = SEED
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Rank the test items by a model that is fitted or trained already, after histories in order
    and after shuffled ones.

    Returns:
        Both ranks, (2, users) each: among all items, and with seen ones masked.
    """
    shuffled = shuffled_before(split, "test", length, seed)
    return _test_ranks(model, split, length, device), _test_ranks(model, shuffled, length, device)


def shuffled_training(split: SplitData, seed: int = SEED) -> Interactions:
    """Shuffle the training part of every history, and nothing that is held out."""
    own = split.interactions
    return _shuffled(own, own.offsets[:-1], split.train_end, seed)


def shuffled_before(split: SplitData, part: Split, length: int, seed: int = SEED) -> SplitData:
    """Shuffle the last ``length`` items before each target of validation or test, so that a model
    sees the same items in another order."""
    own, users, ends = split.interactions, split.users(part), split.ends(part)
    first = own.offsets[:-1].copy()
    last = first.copy()
    first[users], last[users] = np.maximum(own.offsets[users], ends - length), ends
    return replace(split, interactions=_shuffled(own, first, last, seed))


def _shuffled(
    own: Interactions, first: NDArray[np.int64], last: NDArray[np.int64], seed: int
) -> Interactions:
    """Shuffle the items at ``first`` to ``last`` of every user, (users,) each; times stay."""
    place = np.arange(len(own.items))
    user = np.repeat(np.arange(own.num_users), np.diff(own.offsets))
    inside = (place >= first[user]) & (place < last[user])
    drawn = np.random.default_rng(seed).random(len(place))
    # What isn't shuffled keeps its place: before the rest by -1, after it by 2.
    key = np.where(inside, drawn, np.where(place < first[user], -1.0, 2.0))
    items = own.items[np.lexsort((place, key, user))]
    return make_interactions(items, own.offsets, own.num_items, own.times, own.parts)


def _fit(
    model: str,
    train: SplitData,
    valid: SplitData,
    test: SplitData,
    length: int,
    on_fit: Callable[[], object],
) -> Fit:
    device = torch.device("cpu")
    definition = load_definition(model)
    histories = train_histories(train, device)
    chosen_on = evaluation_set(valid, "valid", length, device)
    best, chosen = -1.0, None
    for settings in settings_to_try({}, definition.grid):
        fitted = definition.build(settings, train.interactions.num_items, length)
        assert isinstance(fitted, FittedModel), f"{model} isn't fitted"
        with torch.no_grad():
            fitted.fit(histories)
        found = metric_columns("valid", ranks(fitted, chosen_on, BATCH))[SELECTION]
        if found > best:
            best, chosen = found, fitted
        on_fit()
    assert chosen is not None, "a metric is at least 0"
    return Fit(best, _test_ranks(chosen, test, length, device))


def _test_ranks(
    model: Model, split: SplitData, length: int, device: torch.device
) -> NDArray[np.int32]:
    timed = isinstance(model, TimedModel)
    data = evaluation_set(split, "test", length, device, timed=timed)
    found: NDArray[np.int32] = ranks(model, data, BATCH).cpu().numpy()
    return found
