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
from torch import Tensor

from engine.datasets.interactions import Interactions, make_interactions
from engine.datasets.splitting.splits import SplitData
from engine.fitted import settings_to_try
from engine.metrics import SELECTION
from engine.models.base import FittedModel, Model, TimedModel
from engine.models.load import load_definition
from engine.training.fitting import train_histories
from engine.training.ranking.evaluation import evaluation_set, flat_histories, metric_columns, ranks

SEED = 1
BATCH = 512
"""Users that are ranked for at once."""


@dataclass(frozen=True)
class Fit:
    """A fitted model's ranks, with the settings that validation chooses."""

    valid: float
    """NDCG@10 on validation, over all items."""
    ranks: NDArray[np.int32]
    """(2, targets) of test: among all items, and with seen ones masked."""


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
    return _fit(model, split, split, length, None, on_fit)


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
    training = replace(split, interactions=shuffled_training(split, seed))
    return _fit(model, training, split, length, seed, on_fit)


def ranks_without_order(
    model: Model, split: SplitData, length: int, device: torch.device, seed: int = SEED
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Rank the test items by a model that is fitted or trained already, after histories in order
    and after shuffled ones.

    Returns:
        Both ranks, (2, targets) each: among all items, and with seen ones masked.
    """
    shown = (model, Unordered(model, seed))
    ordered, shuffled = (_test_ranks(each, split, length, device) for each in shown)
    return ordered, shuffled


class Unordered(Model):
    """A model that is shown the items of each history in a random order; their times stay.

    Args:
        model: it itself.
    """

    def __init__(self, model: Model, seed: int) -> None:
        super().__init__()
        self.num_items, self.model = model.num_items, model
        self.generator = torch.Generator().manual_seed(seed)

    def scores(self, items: Tensor, times: Tensor | None = None) -> Tensor:
        key = torch.rand(items.shape, generator=self.generator).to(items.device)
        key[items == 0] = -1.0  # padding stays in front
        shuffled = items.gather(1, key.argsort(dim=1))
        return self.model.scores(shuffled, times)


def shuffled_training(split: SplitData, seed: int = SEED) -> Interactions:
    """Shuffle the items of the training part of every history, and nothing that is held out; times
    stay."""
    own = split.interactions
    place = np.arange(len(own.items))
    user = np.repeat(np.arange(own.num_users), np.diff(own.offsets))
    drawn = np.random.default_rng(seed).random(len(place))
    # What is held out keeps its place after the rest.
    key = np.where(place < split.train_end[user], drawn, 2.0)
    items = own.items[np.lexsort((place, key, user))]
    return make_interactions(items, own.offsets, own.num_items, own.times, own.parts)


def _fit(
    model: str,
    training: SplitData,
    split: SplitData,
    length: int,
    seed: int | None,
    on_fit: Callable[[], object],
) -> Fit:
    """Fit a model, and rank the held-out items.

    Args:
        training: has the histories to fit to.
        split: has the held-out items, and the histories before them.
        seed: in whose order these histories are shown; ``None`` for their own.
    """
    device = torch.device("cpu")
    definition = load_definition(model)
    histories = train_histories(training, device)
    chosen_on = evaluation_set(split, "valid", length, flat_histories(split.interactions, device))
    best, chosen = -1.0, None
    for settings in settings_to_try({}, definition.grid):
        fitted = definition.build(settings, split.interactions.num_items, length)
        assert isinstance(fitted, FittedModel), f"{model} isn't fitted"
        with torch.no_grad():
            fitted.fit(histories)
        shown = fitted if seed is None else Unordered(fitted, seed)
        ranked = ranks(shown, chosen_on, BATCH)
        found = metric_columns("valid", ranked, chosen_on.users)[SELECTION]
        if found > best:
            best, chosen = found, fitted
        on_fit()
    assert chosen is not None, "a metric is at least 0"
    shown = chosen if seed is None else Unordered(chosen, seed)
    return Fit(best, _test_ranks(shown, split, length, device))


def _test_ranks(
    model: Model, split: SplitData, length: int, device: torch.device
) -> NDArray[np.int32]:
    timed = isinstance(model.model if isinstance(model, Unordered) else model, TimedModel)
    flat = flat_histories(split.interactions, device, timed=timed)
    data = evaluation_set(split, "test", length, flat)
    found: NDArray[np.int32] = ranks(model, data, BATCH).cpu().numpy()
    return found
