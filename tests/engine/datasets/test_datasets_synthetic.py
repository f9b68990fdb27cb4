from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine.config import load_catalogue
from engine.datasets.optimum import bayes_optimum, next_item
from engine.datasets.splitting.splits import leave_one_out
from engine.datasets.synthetic import MarkovSource, generate, markov_source
from engine.errors import DataError
from engine.spec import Dataset

MakeSynthetic = Callable[..., Dataset]

GAINS = [1.0, 1 / np.arange(1, 11), 1 / np.log2(np.arange(2, 12))]


def law_by_hand(source: MarkovSource, context: tuple[int, ...]) -> dict[int, float]:
    """P(next | context) item by item, straight from the formula."""
    assert source.noise + sum(source.lag_weights) == pytest.approx(1)
    law = {}
    for item in range(1, len(source.popularity)):
        law[item] = source.noise * source.popularity[item]
        for lag, follows in enumerate(source.successors, start=1):
            before, lag_weight = context[-lag], source.lag_weights[lag - 1]
            if before == 0:
                law[item] += lag_weight * source.popularity[item]
            else:
                law[item] += lag_weight * sum(
                    weight
                    for successor, weight in zip(follows[before], source.weights, strict=True)
                    if successor == item
                )
    return law


@pytest.fixture
def tiny(make_synthetic: MakeSynthetic) -> Dataset:
    """Small enough to enumerate, large enough that not every item is among the best ten."""
    return make_synthetic(
        120,
        14,
        1_000,
        order=2,
        lag_ratio=1.7,
        min_length=3,
        max_length=20,
        successors=3,
        noise=0.2,
        zipf=0.6,
    )


def test_probabilities_follow_the_formula(tiny: Dataset) -> None:
    assert tiny.synthetic is not None
    source = markov_source(tiny.synthetic, tiny.items)
    contexts = [*itertools.product(range(1, 15), repeat=2), (0, 0), *((0, i) for i in range(1, 15))]
    table = next_item(source, np.array(contexts, np.int32))
    assert table.shape == (len(contexts), 15)
    np.testing.assert_allclose(table.sum(axis=1), 1, rtol=1e-12)
    assert (table[:, 0] == 0).all()
    for context, row in zip(contexts, table, strict=True):
        law = law_by_hand(source, context)
        np.testing.assert_allclose(row[1:], [law[item] for item in range(1, 15)], rtol=1e-12)


@pytest.mark.parametrize("split", ["valid", "test"])
def test_optimum_agrees_with_enumeration(tiny: Dataset, split: str) -> None:
    assert tiny.synthetic is not None
    source = markov_source(tiny.synthetic, tiny.items)
    interactions = generate(tiny)
    expected, realised, users = np.zeros(3), np.zeros(3), 0
    for start, end in itertools.pairwise(interactions.offsets):
        history = interactions.items[start:end].tolist()
        target_at = len(history) - (2 if split == "valid" else 1)
        context = tuple([0, 0, *history[:target_at]][-2:])
        law = law_by_hand(source, context)
        ranked = sorted(law.values(), reverse=True)
        expected += [np.dot(np.broadcast_to(gain, 10), ranked[:10]) for gain in GAINS]
        true = law[history[target_at]]
        rank = sum(p >= true - 1e-12 for p in law.values())
        if rank <= 10:
            realised += [1, 1 / rank, 1 / np.log2(rank + 1)]
        users += 1

    found = bayes_optimum(tiny, split)  # type: ignore[arg-type]
    assert found.users == users == 120
    np.testing.assert_allclose([found.recall, found.mrr, found.ndcg], expected / users, rtol=1e-12)
    np.testing.assert_allclose(
        [found.realised_recall, found.realised_mrr, found.realised_ndcg],
        realised / users,
        rtol=1e-12,
    )


def test_no_other_ranking_is_better(tiny: Dataset) -> None:
    """Every order of the same items gains less, or as much, from each context."""
    assert tiny.synthetic is not None
    source = markov_source(tiny.synthetic, tiny.items)
    law = next_item(source, np.array([[3, 7]], np.int32))[0, 1:]
    best = [np.dot(np.broadcast_to(gain, 10), np.sort(law)[::-1][:10]) for gain in GAINS]
    generator = np.random.default_rng(0)
    for _ in range(500):
        other = generator.permutation(law)[:10]
        gained = [np.dot(np.broadcast_to(gain, 10), other) for gain in GAINS]
        assert (np.array(gained) <= np.array(best) + 1e-12).all()


@pytest.mark.parametrize("context", [(3, 7), (0, 5), (0, 0), (4, 4)])
def test_what_is_drawn_follows_the_law(tiny: Dataset, context: tuple[int, int]) -> None:
    assert tiny.synthetic is not None
    source = markov_source(tiny.synthetic, tiny.items)
    count = 200_000
    contexts = np.tile(np.array(context, np.int32), (count, 1))
    drawn = source.draw(contexts, np.random.default_rng(1))
    law = next_item(source, contexts[:1])[0]
    seen = np.bincount(drawn, minlength=15) / count
    # Five standard deviations of a share of `count` draws.
    assert (np.abs(seen - law) <= 5 * np.sqrt(law * (1 - law) / count) + 1e-12).all()


def test_optimum_agrees_with_monte_carlo(make_synthetic: MakeSynthetic) -> None:
    """The figures that the best ranking attains on drawn items scatter around the expectation."""
    dataset = make_synthetic(20_000, 100, 200_000, min_length=3, max_length=17)
    for split in ("valid", "test"):
        found = bayes_optimum(dataset, split)
        for name in ("recall", "mrr", "ndcg"):
            # Each user's gain lies in [0, 1], so its standard deviation is at most a half.
            bound = 5 * 0.5 / np.sqrt(found.users)
            assert abs(getattr(found, name) - getattr(found, f"realised_{name}")) < bound


def test_the_seed_determines_everything(make_synthetic: MakeSynthetic) -> None:
    def drawn(seed: int) -> str:
        return generate(make_synthetic(200, 50, 6_000, seed=seed)).checksum

    assert drawn(7) == drawn(7)
    assert drawn(7) != drawn(8)


def test_the_built_in_set_stays_what_it_is() -> None:
    """Results name this checksum: a source that draws otherwise must be a new data set."""
    assert generate(load_catalogue().dataset("synthetic")).checksum == (
        "4f3720200a9577bfd3c84649ad12cd24f1a76faa631efc1e6b392e096087ff19"
    )


@pytest.mark.parametrize(
    ("users", "interactions", "low", "high"),
    [(100, 5_000, 20, 80), (100, 2_001, 20, 80), (100, 8_000, 20, 80), (1, 3, 3, 3), (7, 30, 4, 5)],
)
def test_lengths_add_up(
    make_synthetic: MakeSynthetic, users: int, interactions: int, low: int, high: int
) -> None:
    dataset = make_synthetic(users, 50, interactions, min_length=low, max_length=high)
    drawn = generate(dataset)
    lengths = np.diff(drawn.offsets)
    assert (drawn.num_users, drawn.num_items, len(drawn.items)) == (users, 50, interactions)
    assert low <= lengths.min() <= lengths.max() <= high


@pytest.mark.parametrize("interactions", [1_999, 8_001])
def test_impossible_lengths_are_an_error(make_synthetic: MakeSynthetic, interactions: int) -> None:
    with pytest.raises(DataError, match="give between 2,000 and 8,000 interactions"):
        generate(make_synthetic(100, 50, interactions))


@pytest.mark.parametrize("exponent", [0.6, 1.0])
def test_popularity_is_zipf_like(make_synthetic: MakeSynthetic, exponent: float) -> None:
    """Counts by rank fall on a line in a log-log plot, near the exponent asked for."""
    dataset = make_synthetic(2_000, 500, 100_000, zipf=exponent, successors=6)
    counts = np.sort(np.bincount(generate(dataset).items, minlength=501)[1:])[::-1][:200]
    ranks = np.log(np.arange(1, 201))
    slope, intercept = np.polyfit(ranks, np.log(counts), 1)
    assert slope == pytest.approx(-exponent, abs=0.25)
    assert np.std(np.log(counts) - slope * ranks - intercept) < 0.2


def test_item_numbers_do_not_tell_popularity(make_synthetic: MakeSynthetic) -> None:
    dataset = make_synthetic(2_000, 500, 100_000)
    counts = np.bincount(generate(dataset).items, minlength=501)[1:]
    assert abs(np.corrcoef(np.arange(500), counts)[0, 1]) < 0.2


def test_the_documented_optimum_is_that_of_the_built_in_set() -> None:
    optimum = bayes_optimum(load_catalogue().dataset("synthetic"), "test")
    said = f"Recall@10 is {optimum.recall:.4f} and NDCG@10 {optimum.ndcg:.4f} on".replace("0.", ".")
    assert said in (Path(__file__).parents[3] / "docs" / "datasets.md").read_text()


def test_the_built_in_set_tells_models_apart() -> None:
    """Popularity attains less than half of the optimum, first-order transitions clearly less than
    it, and counting transitions at both lags nearly all of it.
    """
    dataset = load_catalogue().dataset("synthetic")
    interactions, optimum = generate(dataset), bayes_optimum(dataset, "test")
    split, items = leave_one_out(interactions), interactions.num_items + 1
    lags = np.zeros((2, items, items))
    for start, end in zip(interactions.offsets[:-1], split.train_end, strict=True):
        history = interactions.items[start:end]
        for lag in (1, 2):
            np.add.at(lags[lag - 1], (history[:-lag], history[lag:]), 1)
    popularity = lags[0].sum(axis=0)
    popularity /= popularity.sum()
    lags /= np.maximum(lags.sum(axis=2, keepdims=True), 1)
    context, target = split.histories("test", 2), split.targets("test")

    def recall(scores: np.ndarray) -> float:
        true = scores[np.arange(len(target)), target][:, None]
        return float(((scores[:, 1:] >= true).sum(axis=1) <= 10).mean())

    by_popularity = recall(np.tile(popularity, (len(target), 1)))
    first_order = recall(lags[0, context[:, 1]] + 1e-3 * popularity)
    both_lags = recall(lags[0, context[:, 1]] + 2 * lags[1, context[:, 0]] + 1e-3 * popularity)
    assert by_popularity < 0.5 * optimum.recall
    assert first_order < 0.7 * optimum.recall
    assert both_lags > 0.95 * optimum.recall
