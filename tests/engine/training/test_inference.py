"""How fast a model recommends: a rate for each batch size, and nothing where it can't be
measured."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from engine.models.load import load_definition
from engine.training.ranking.inference import BATCHES, InferenceSpeed, inference_speed

CPU = torch.device("cpu")
ITEMS = 30


def histories(users: int) -> Tensor:
    return torch.randint(0, ITEMS + 1, (users, 8), dtype=torch.int32)


def small() -> torch.nn.Module:
    return load_definition("sasrec").build({"dim": 8, "layers": 1, "heads": 2}, ITEMS, 8)


@pytest.mark.parametrize("users", [3, 700])
def test_both_rates_are_measured_whatever_the_number_of_users(
    users: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a clock on which a user takes .01 seconds, after .24 seconds for the call."""
    model, now = small(), [0.0]
    query = model.query

    def timed(items: Tensor, times: Tensor | None) -> Tensor:
        now[0] += 0.24 + 0.01 * len(items)
        return query(items, times)

    model.query = timed
    monkeypatch.setattr("engine.training.ranking.inference.time.perf_counter", lambda: now[0])
    found = inference_speed(model, histories(users), CPU, bfloat16=False)
    assert found.users_per_second_1 == pytest.approx(4.0)
    assert found.users_per_second_256 == pytest.approx(256 / 2.8)


def test_it_recommends_for_whole_batches_over_the_whole_catalogue() -> None:
    model, seen = small(), []
    query, logits = model.query, model.logits
    model.query = lambda items, times: seen.append(tuple(items.shape)) or query(items, times)
    model.logits = lambda states: seen.append(tuple(states.shape)[:1]) or logits(states)
    inference_speed(model, histories(10), CPU, bfloat16=False)
    assert {shape for shape in seen if len(shape) == 2} == {(batch, 8) for batch in BATCHES}
    assert {shape for shape in seen if len(shape) == 1} == {(batch,) for batch in BATCHES}
    assert not model.training


def test_no_users_no_rate() -> None:
    assert inference_speed(small(), histories(0), CPU, bfloat16=False) == InferenceSpeed()


def test_a_lack_of_memory_costs_the_figure_alone() -> None:
    model = small()
    query = model.query

    def too_large(items: Tensor, times: Tensor | None) -> Tensor:
        if len(items) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return query(items, times)

    model.query = too_large
    found = inference_speed(model, histories(10), CPU, bfloat16=False)
    assert found.users_per_second_1 > 0
    assert found.users_per_second_256 is None
