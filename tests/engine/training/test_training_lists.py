"""The recommended items against a full sort, ties and all."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from fuzzing import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from engine.datasets.interactions import make_interactions
from engine.datasets.splitting.splits import SplitData
from engine.datasets.splitting.targets import HeldOut
from engine.models.base import Model
from engine.results.lists import LONGEST
from engine.training.ranking.lists import comparable, highest, recommended

CPU = torch.device("cpu")
NO_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
DEVICES = [CPU, pytest.param(torch.device("cuda"), marks=NO_GPU)]
SCORE = st.sampled_from([0.0, -0.0, 1.0, 2.0, -1.0, math.nan, math.inf, -math.inf])
"""Few values: many are equal."""


class Told(Model):
    """Scores the users in turn by the rows of a table."""

    def __init__(self, table: Tensor) -> None:
        super().__init__()
        self.num_items, self.length, self.table, self.at = table.shape[1] - 1, 3, table, 0

    def scores(self, items: Tensor, times: Tensor | None = None) -> Tensor:
        self.at += len(items)
        return self.table[self.at - len(items) : self.at]


def plain_list(scores: list[float], hidden: set[int], length: int) -> list[int]:
    """Sort all items by score and number; NaN like the lowest."""
    value = {
        item: -math.inf if math.isnan(score) else score
        for item, score in enumerate(scores)
        if item and item not in hidden
    }
    best = sorted(value, key=lambda item: (-value[item], item))[:length]
    return best + [0] * (length - len(best))


@pytest.mark.parametrize("device", DEVICES)
@given(data=st.data())
@settings(max_examples=examples(60), deadline=None)
def test_lists_equal_a_full_sort(device: torch.device, data: st.DataObject) -> None:
    items = data.draw(st.sampled_from([1, 2, 7, 99, 100, 101, 102, 130, 300]))
    users = data.draw(st.integers(1, 5))
    draw = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    scores = data.draw(st.lists(SCORE, min_size=1, max_size=8))
    table = draw.choice(np.array(scores, np.float32), (users, items + 1))
    if data.draw(st.booleans()):  # as a network has them: hardly any tie
        table = table + draw.standard_normal(table.shape).astype(np.float32)
    lengths = [data.draw(st.integers(2, 2 * items + 3)) for _ in range(users)]
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    own = make_interactions(draw.integers(1, items + 1, offsets[-1]), offsets, items)
    # Every user has one to three targets, of which the last counts.
    rows = [
        (user, end)
        for user in range(users)
        for end in sorted(
            draw.choice(np.arange(1, lengths[user]), min(3, lengths[user] - 1), False)
        )
    ]
    held = HeldOut(
        np.array([user for user, _ in rows]),
        np.array([offsets[user] + end for user, end in rows]),
    )
    split = SplitData(own, offsets[1:], held, held, offsets[1:])

    model = Told(torch.from_numpy(table).to(device))
    found = recommended(model, split, device, data.draw(st.integers(1, 9)))

    length = min(items, LONGEST)
    for user, end in dict(rows).items():
        history = own.items[offsets[user] : offsets[user] + end].tolist()
        target = int(own.items[offsets[user] + end])
        hidden = set(history) - {target}
        masked = plain_list(table[user].tolist(), hidden, length)
        assert found.over_all[user].tolist() == plain_list(table[user].tolist(), set(), length)
        assert found.masked[user].tolist() == masked
        assert not hidden & set(masked)
    assert found.over_all.shape == found.masked.shape == (users, length)


@pytest.mark.parametrize(
    ("items", "kind"), [(255, np.uint8), (256, np.uint16), (65_535, np.uint16), (65_536, np.uint32)]
)
def test_numbers_take_no_more_bytes_than_the_last_item_needs(items: int, kind: type) -> None:
    own = make_interactions(np.array([1, items]), np.array([0, 2]), items)
    held = HeldOut(np.array([0]), np.array([1]))
    table = torch.arange(items + 1.0)[None]
    split = SplitData(own, np.array([1]), held, held, np.array([1]))
    found = recommended(Told(table), split, CPU, 1)
    assert (found.over_all.dtype, found.masked.dtype) == (kind, kind)
    assert found.over_all[0].tolist() == list(range(items, items - LONGEST, -1))


def test_equal_scores_at_the_end_of_a_list_are_taken_by_number() -> None:
    table = torch.tensor([[1.0, 2.0, -0.0, 0.0, 2.0, 0.0, -0.0]])
    assert highest(comparable(table), 4).tolist() == [[2, 5, 1, 3]]
