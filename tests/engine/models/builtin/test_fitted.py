"""The fitted models: against plain Python on small histories, and what all of them keep to."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from engine.errors import TrainingError
from engine.limits import Limits
from engine.models import FittedModel, TrainingHistories
from engine.models.builtin import ease
from engine.models.builtin.recent_popularity import MICROSECONDS_A_DAY
from engine.models.layers import itemrows
from engine.models.load import load_definition

FITTED = ("popularity", "recent-popularity", "markov", "item-knn", "ease")
LENGTH = 5

Lists = list[list[int]]


@st.composite
def histories(draw: st.DrawFn) -> tuple[int, Lists]:
    """V, and the histories of one user or more; users may have none, and items may repeat."""
    num_items = draw(st.integers(1, 6))
    items = st.lists(st.integers(1, num_items), max_size=8)
    return num_items, draw(st.lists(items, min_size=1, max_size=6))


def training(users: Lists, times: list[int] | None = None) -> TrainingHistories:
    items = list(itertools.chain(*users))
    return TrainingHistories(
        items=torch.tensor(items, dtype=torch.int64),
        offsets=torch.tensor([0, *itertools.accumulate(map(len, users))]),
        times=torch.arange(len(items)) if times is None else torch.tensor(times),
    )


def fitted(
    name: str, settings: dict[str, object], num_items: int, train: TrainingHistories
) -> FittedModel:
    model = load_definition(name).build(settings, num_items, LENGTH)
    assert isinstance(model, FittedModel)
    model.fit(train)
    return model


def first_choice(name: str) -> dict[str, object]:
    return {key: values[0] for key, values in load_definition(name).grid.items()}


def padded(users: Lists) -> Tensor:
    """The last items of histories, (B, L)."""
    rows = [([0] * LENGTH + history)[-LENGTH:] for history in users]
    return torch.tensor(rows, dtype=torch.int64)


def tie_break(users: Lists, num_items: int) -> list[float]:
    """What popularity adds to each score."""
    counts = Counter(itertools.chain(*users))
    most = max(counts.values(), default=1)
    return [itemrows.TIE_BREAK * counts[item] / most for item in range(num_items + 1)]


def same(found: Tensor, expected: list[list[float]]) -> None:
    """Whether scores of items are the expected ones; those of padding are nobody's."""
    assert found.dtype == torch.float32
    torch.testing.assert_close(
        found[:, 1:].double(), torch.tensor(expected, dtype=torch.float64)[:, 1:],
        rtol=1e-5, atol=1e-6 * itemrows.TIE_BREAK + 1e-7,
    )  # fmt: skip


def small_blocks(monkeypatch: pytest.MonkeyPatch, *, small: bool) -> None:
    """Compute in as many blocks as there are rows, and score row by row."""
    if small:
        monkeypatch.setattr(itemrows, "MOST_ENTRIES", 1)


@pytest.mark.parametrize("small", [False, True])
@given(
    data=histories(),
    window=st.integers(1, 9),
    decay=st.sampled_from([0.5, 1.0]),
    power=st.sampled_from([0.0, 1.0]),
)
def test_markov_sums_shares_of_followers(
    small: bool, data: tuple[int, Lists], window: int, decay: float, power: float
) -> None:
    num_items, users = data
    with pytest.MonkeyPatch.context() as patch:
        small_blocks(patch, small=small)
        settings = {"window": window, "decay": decay, "power": power}
        model = fitted("markov", settings, num_items, training(users))
        found = model.scores(padded(users))

    def weight(distance: int) -> float:
        return decay ** (distance - 1) / distance**power

    counts: Counter[tuple[int, int]] = Counter()
    for history in users:
        for i, j in itertools.combinations(range(len(history)), 2):
            if j - i <= window:
                counts[history[i], history[j]] += weight(j - i)  # type: ignore[assignment]
    rows = Counter[int]()
    for (before, _), count in counts.items():
        rows[before] += count
    expected = []
    for history in users:
        scores = tie_break(users, num_items)
        for steps, before in enumerate(reversed(history[-LENGTH:][-window:]), 1):
            for item in range(1, num_items + 1):
                if counts[before, item]:
                    scores[item] += weight(steps) * counts[before, item] / rows[before]
        expected.append(scores)
    same(found, expected)


@pytest.mark.parametrize("small", [False, True])
@given(
    data=histories(),
    neighbours=st.integers(1, 7),
    shrinkage=st.sampled_from([0.0, 2.0]),
    decay=st.sampled_from([0.5, 1.0, 1e-5]),
)
def test_item_knn_sums_similarities_of_neighbours(
    small: bool, data: tuple[int, Lists], neighbours: int, shrinkage: float, decay: float
) -> None:
    num_items, users = data
    with pytest.MonkeyPatch.context() as patch:
        small_blocks(patch, small=small)
        settings = {"neighbours": neighbours, "shrinkage": shrinkage, "decay": decay}
        model = fitted("item-knn", settings, num_items, training(users))
        found = model.scores(padded(users))

    holders = {
        item: {user for user, history in enumerate(users) if item in history}
        for item in range(1, num_items + 1)
    }

    def similar(one: int, other: int) -> float:
        both = len(holders[one] & holders[other])
        root = math.sqrt(len(holders[one]) * len(holders[other]))
        return both / (root + shrinkage) if both and one != other else 0.0

    expected = []
    for history in users:
        scores = tie_break(users, num_items)
        for steps, before in enumerate(reversed(history[-LENGTH:])):
            row = [similar(before, item) for item in range(1, num_items + 1)]
            # Padding, as similar as an item that shares no user, is among the items.
            least = sorted([*row, 0.0])[::-1][min(neighbours, num_items + 1) - 1]
            for item, value in enumerate(row, 1):
                if value >= least - 1e-6:
                    scores[item] += decay**steps * value
        expected.append(scores)
    same(found, expected)


@given(data=histories(), l2=st.sampled_from([1.0, 30.0]))
def test_ease_predicts_each_item_from_the_others_by_least_squares(
    data: tuple[int, Lists], l2: float
) -> None:
    num_items, users = data
    model = fitted("ease", {"l2": l2}, num_items, training(users))
    x = np.zeros((len(users), num_items))
    for user, history in enumerate(users):
        x[user, [item - 1 for item in history]] = 1
    weights = np.zeros((num_items, num_items))
    for item in range(num_items):
        others = [other for other in range(num_items) if other != item]
        ridge = x[:, others].T @ x[:, others] + l2 * np.eye(len(others))
        weights[others, item] = np.linalg.solve(ridge, x[:, others].T @ x[:, item])
    tie = tie_break(users, num_items)
    expected = []
    for history in users:
        last = [item - 1 for item in set(history[-LENGTH:])]
        scores = weights[last].sum(axis=0) if last else np.zeros(num_items)
        expected.append([0.0, *(scores + tie[1:])])
    same(model.scores(padded(users)), expected)


@given(data=histories(), days=st.sampled_from([1, 2.5]), seed=st.integers(0, 9))
def test_recent_popularity_orders_by_the_last_days_then_by_all(
    data: tuple[int, Lists], days: float, seed: int
) -> None:
    num_items, users = data
    many = sum(map(len, users))
    drawn = np.random.default_rng(seed).integers(0, 10, many) * MICROSECONDS_A_DAY // 2
    train = training(users, drawn.tolist())
    scores = fitted("recent-popularity", {"days": days}, num_items, train).scores(padded(users))
    items, last = list(itertools.chain(*users)), max(drawn.tolist(), default=0)
    recent = Counter(
        item
        for item, time in zip(items, drawn.tolist(), strict=True)
        if last - time < days * MICROSECONDS_A_DAY
    )
    keys = [(recent[item], items.count(item)) for item in range(1, num_items + 1)]
    for row in scores[:, 1:].tolist():
        for (one, a), (other, b) in itertools.combinations(zip(keys, row, strict=True), 2):
            assert (one < other) == (a < b)
            assert (one == other) == (a == b)


@pytest.mark.parametrize("name", FITTED)
def test_a_model_that_needs_times_says_so(name: str) -> None:
    train = TrainingHistories(torch.tensor([1, 2]), torch.tensor([0, 2]), None)
    if load_definition(name).needs_times:
        with pytest.raises(TrainingError, match=r"needs the times .* use popularity\.$"):
            fitted(name, first_choice(name), 2, train)
    else:
        fitted(name, first_choice(name), 2, train)


def test_ease_refuses_what_does_not_fit_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    train = training([[1, 2], [2, 3]])
    monkeypatch.setattr(ease, "process_limits", lambda: Limits(1, 2**30, frozenset({0})))
    monkeypatch.setattr(ease, "memory_used", lambda _: 2**29)
    with pytest.raises(TrainingError) as error:
        fitted("ease", {"l2": 1.0}, 50_000, train)
    assert str(error.value) == (
        "EASE needs 40.0 GB of memory for 50,000 items, and 0.5 GB are free: use item-knn, or a "
        "data set with fewer items."
    )
    assert error.value.cause == "out-of-memory"


@pytest.mark.parametrize("name", FITTED)
@given(data=histories())
def test_a_history_without_items_gets_the_popular_ones(name: str, data: tuple[int, Lists]) -> None:
    num_items, users = data
    scores = fitted(name, first_choice(name), num_items, training(users)).scores(padded([[]]))[0]
    assert scores.isfinite().all()
    counts = Counter(itertools.chain(*users))
    for one, other in itertools.permutations(range(1, num_items + 1), 2):
        assert (counts[one] > counts[other]) <= bool(scores[one] > scores[other])


@pytest.mark.parametrize("name", FITTED)
@given(data=histories(), other=histories())
def test_what_is_stored_scores_alike(
    name: str, data: tuple[int, Lists], other: tuple[int, Lists]
) -> None:
    num_items, users = data
    model = fitted(name, first_choice(name), num_items, training(users))
    expected = model.scores(padded(users))
    assert torch.equal(model.scores(padded(users)), expected)
    # Validation's choice isn't among a run's settings.
    fresh = load_definition(name).build({}, num_items, LENGTH)
    fresh.load_state_dict(model.state_dict())
    assert torch.equal(fresh.scores(padded(users)), expected)
    used = fitted(name, first_choice(name), num_items, training([[1]]))
    used.scores(padded(users))
    used.load_state_dict(model.state_dict())
    assert torch.equal(used.scores(padded(users)), expected)
    for key, value in model.state_dict().items():
        assert torch.equal(used.state_dict()[key], value)


@pytest.mark.parametrize("name", FITTED)
@given(data=histories())
def test_rows_of_a_batch_and_padding_change_nothing(name: str, data: tuple[int, Lists]) -> None:
    num_items, users = data
    model = fitted(name, first_choice(name), num_items, training(users))
    together = model.scores(padded(users))
    for row, history in enumerate(users):
        short = torch.tensor([history[-LENGTH:] or [0]])
        assert torch.equal(model.scores(short)[0], together[row])


@pytest.mark.parametrize("name", FITTED)
def test_settings_that_are_tried_are_valid(name: str) -> None:
    definition = load_definition(name)
    assert definition.kind == "fitted"
    names = definition.settings.model_fields
    assert set(definition.grid) == set(names)
    for values in itertools.product(*definition.grid.values()):
        definition.settings.model_validate(dict(zip(definition.grid, values, strict=True)))


@pytest.mark.parametrize("name", FITTED)
def test_it_is_built_on_the_meta_device_without_choices(name: str) -> None:
    with torch.device("meta"):
        model = load_definition(name).build({}, 10_000_000, 50)
    assert not list(model.parameters())


@pytest.fixture
def movielens(real_data: Path) -> Lists:
    """All histories of MovieLens 100K, read and ordered by other code than the product's."""
    columns = np.loadtxt(real_data / "ml-100k" / "u.data", dtype=np.int64)
    user, item, time = columns[:, 0], columns[:, 1], columns[:, 3]
    ordered: dict[int, list[int]] = {}
    for row in np.argsort(time, kind="stable"):
        ordered.setdefault(int(user[row]), []).append(int(item[row]))
    return list(ordered.values())


def scores_on_movielens(name: str, settings: dict[str, object], users: Lists) -> Tensor:
    model = fitted(name, settings, 1682, training([history[:-2] for history in users]))
    return model.scores(padded([history[:-1] for history in users]))


def hits(scores: Tensor | np.ndarray, users: Lists) -> int:
    scores = np.asarray(scores)
    true = scores[np.arange(len(users)), [history[-1] for history in users]]
    return int(((scores[:, 1:] >= true[:, None]).sum(1) <= 10).sum())


def test_counts_on_movielens(movielens: Lists) -> None:
    follows = np.zeros((1683, 1683))
    for history in movielens:
        np.add.at(follows, (history[:-3], history[1:-2]), 1)
    counts = np.bincount(list(itertools.chain(*(h[:-2] for h in movielens))), minlength=1683)
    last = follows[[history[-2] for history in movielens]]
    found = scores_on_movielens("markov", {"window": 1, "decay": 1, "power": 0}, movielens)
    assert hits(found, movielens) == hits(last + 1e-4 * counts, movielens) == 103
    found = scores_on_movielens("popularity", {}, movielens)
    assert hits(found, movielens) == hits(np.tile(counts, (len(found), 1)), movielens) == 47


def test_weighted_counts_on_movielens(movielens: Lists) -> None:
    follows = np.zeros((1683, 1683))
    for history in movielens:
        for distance in range(1, 4):
            pairs = history[: -2 - distance], history[distance:-2]
            np.add.at(follows, pairs, 0.8 ** (distance - 1) / distance)
    shares = follows / np.maximum(follows.sum(1, keepdims=True), 1e-9)
    expected = sum(
        0.8 ** (steps - 1) / steps * shares[[history[-1 - steps] for history in movielens]]
        for steps in range(1, 4)
    )
    found = scores_on_movielens("markov", {"window": 3, "decay": 0.8, "power": 1}, movielens)
    np.testing.assert_allclose(found[:, 1:], expected[:, 1:], atol=2 * itemrows.TIE_BREAK)


def test_neighbours_on_movielens(movielens: Lists) -> None:
    holds = np.zeros((len(movielens), 1683))
    for user, history in enumerate(movielens):
        holds[user, history[:-2]] = 1
    both, many = holds.T @ holds, holds.sum(0)
    similar = (both / (np.sqrt(np.outer(many, many)) + 10)).astype(np.float32)
    np.fill_diagonal(similar, 0)
    similar[similar < np.sort(similar)[:, -50, None]] = 0
    steps = range(1, LENGTH + 1)
    expected = sum(
        0.5 ** (step - 1) * similar[[history[-1 - step] for history in movielens]] for step in steps
    )
    found = scores_on_movielens(
        "item-knn", {"neighbours": 50, "shrinkage": 10, "decay": 0.5}, movielens
    )
    off = np.abs(found[:, 1:].numpy() - expected[:, 1:]) > 2 * itemrows.TIE_BREAK
    # Neighbours that are as similar as the last one but for the last bit.
    assert off.mean() < 1e-4
