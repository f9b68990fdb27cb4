"""Synthetic histories from a Markov source, whose best possible metrics can be computed exactly.

The source is a mixture transition distribution (Raftery, A model for high-order Markov chains,
J. R. Stat. Soc. B 47(3), 1985, eq. 2.1, with a transition matrix for each lag as in Raftery &
Tavaré 1994), to which the popularity law is added:

    P(x_t = j | x_{t-1}, …, x_{t-m}) = λ_0 π(j) + Σ_{i=1…m} λ_i Q_i(x_{t-i}, j)

with π a Zipf law over the items, λ_0 the noise, and the other λ_i in geometric progression. A row
of Q_i has a few successors, themselves drawn from π, with geometrically decaying probabilities.
For lags that reach before the start of a history, Q_i is replaced by π.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.datasets.interactions import Interactions, make_interactions
from engine.errors import DataError
from engine.spec import Dataset, SyntheticSource


@dataclass(frozen=True)
class MarkovSource:
    """The distribution that histories are drawn from."""

    popularity: NDArray[np.float64]
    """(V + 1,): π; column 0, padding, has probability 0."""
    successors: NDArray[np.int32]
    """(order, V + 1, S): the successors of each item at each lag; an item may occur twice."""
    weights: NDArray[np.float64]
    """(S,): the successors' probabilities."""
    noise: float
    """λ_0."""
    lag_weights: NDArray[np.float64]
    """(order,): λ_1, …, λ_m; with λ_0 they sum to 1."""

    @property
    def order(self) -> int:
        return len(self.successors)

    def draw(
        self, contexts: NDArray[np.int32], generator: np.random.Generator
    ) -> NDArray[np.int32]:
        """Draw one item after each context (B, order): a term of the mixture, then its item."""
        count = len(contexts)
        by_popularity = np.searchsorted(
            np.cumsum(self.popularity[1:])[:-1], generator.random(count), side="right"
        )
        place = np.searchsorted(np.cumsum(self.weights)[:-1], generator.random(count), side="right")
        mixture = np.cumsum([self.noise, *self.lag_weights[:-1]])
        lag = np.searchsorted(mixture, generator.random(count), side="right")
        # λ_0 comes first, so that term 0 is the popularity law and term i is lag i.
        item = contexts[np.arange(count), -np.maximum(lag, 1)]
        follows = self.successors[np.maximum(lag, 1) - 1, item, place]
        return np.where((lag > 0) & (item > 0), follows, by_popularity + 1).astype(np.int32)


def markov_source(settings: SyntheticSource, num_items: int) -> MarkovSource:
    """Build the distribution from its seed."""
    generator = np.random.default_rng([settings.seed, 0])
    law = np.arange(1, num_items + 1) ** -settings.zipf
    # Shuffled, so that an item's number doesn't tell its popularity.
    law = generator.permutation(law / law.sum())
    shape = (settings.order, num_items + 1, settings.successors)
    drawn = np.searchsorted(np.cumsum(law)[:-1], generator.random(shape), side="right")
    weights = settings.decay ** np.arange(settings.successors)
    lag_weights = settings.lag_ratio ** np.arange(settings.order)
    return MarkovSource(
        popularity=np.concatenate([[0.0], law]),
        successors=(drawn + 1).astype(np.int32),
        weights=weights / weights.sum(),
        noise=settings.noise,
        lag_weights=(1 - settings.noise) * lag_weights / lag_weights.sum(),
    )


def generate(dataset: Dataset) -> Interactions:
    """Draw the histories of a synthetic data set; equal settings give equal histories.

    Raises:
        DataError: the users and lengths don't allow for the number of interactions.
    """
    settings = dataset.synthetic
    assert settings is not None
    source = markov_source(settings, dataset.items)
    generator = np.random.default_rng([settings.seed, 1])
    lengths = _lengths(dataset, settings, generator)

    # Longest first, so that the histories which aren't complete are always a prefix of the rows.
    longest_first = np.argsort(-lengths, kind="stable")
    incomplete = np.searchsorted(-lengths[longest_first], -np.arange(lengths.max()), side="left")
    width = source.order
    table = np.zeros((len(lengths), width + lengths.max()), np.int32)
    for step, count in enumerate(incomplete):
        table[:count, width + step] = source.draw(table[:count, step : width + step], generator)

    histories = np.empty_like(table)
    histories[longest_first] = table
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return make_interactions(histories[histories > 0], offsets, dataset.items)


def _lengths(
    dataset: Dataset, settings: SyntheticSource, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Draw lengths (users,) uniformly between the bounds, then adjust random ones to the total."""
    low, high, total = settings.min_length, settings.max_length, dataset.interactions
    if not dataset.users * low <= total <= dataset.users * high:
        raise DataError(
            f"{dataset.title}: {total:,} interactions of {dataset.users:,} users don't fit lengths "
            f"of {low} to {high}: give between {dataset.users * low:,} and "
            f"{dataset.users * high:,} interactions, or other lengths."
        )
    lengths = generator.integers(low, high + 1, dataset.users)
    while missing := total - int(lengths.sum()):
        room = np.flatnonzero(lengths < high if missing > 0 else lengths > low)
        chosen = generator.permutation(room)[: abs(missing)]
        lengths[chosen] += 1 if missing > 0 else -1
    return lengths
