"""HSTU against its formulas, written out position by position, and its biases."""

from __future__ import annotations

import math

import pytest
import torch
from scattered import scatter
from torch import Tensor

from engine.models.builtin.hstu import HSTU, MODEL, HSTULayer, time_buckets

ITEMS, LENGTH = 37, 12
SECOND = 1_000_000


def silu(x: Tensor) -> Tensor:
    return x / (1 + (-x).exp())


def normed(x: Tensor) -> Tensor:
    centred = x - x.mean()
    return centred / (centred.square().mean() + 1e-6).sqrt()


def plain_layer(
    layer: HSTULayer, xs: list[Tensor], times: list[int] | None, heads: int
) -> list[Tensor]:
    """Zhai et al. 2024, eq. 1 to 3, for items (W of (d,)) and their times in microseconds."""
    dim = len(xs[0])
    size = dim // heads
    parts = [silu(layer.project.weight @ normed(x)).split(dim) for x in xs]
    outputs = []
    for last, x in enumerate(xs):
        mixed = []
        for head in range(heads):
            own, total = slice(head * size, (head + 1) * size), torch.zeros(size)
            for earlier in range(last + 1):
                bias = layer.position_bias.weight[last - earlier]
                if times is not None:
                    assert layer.time_bias is not None
                    seconds = max(1, (times[last] - times[earlier]) // SECOND)
                    bias = bias + layer.time_bias.weight[int(math.log(seconds) / 0.301)]
                _, value, _, key = parts[earlier]
                score = parts[last][2][own] @ key[own] + bias
                total = total + silu(score) / LENGTH * value[own]
            mixed.append(total)
        outputs.append(x + layer.output(parts[last][0] * normed(torch.cat(mixed))))
    return outputs


def scattered(**settings: float) -> HSTU:
    chosen = {"dim": 16, "layers": 2, "heads": 2} | settings
    model = MODEL.build(chosen, ITEMS, LENGTH).double().eval()
    assert isinstance(model, HSTU)
    scatter(model, 0.3)
    return model


def moments(histories: Tensor) -> Tensor:
    generator = torch.Generator().manual_seed(4)
    gaps = torch.randint(1, 40, histories.shape, generator=generator) ** 4 * SECOND
    return (10**15 + gaps.cumsum(dim=1)) * (histories > 0)


@pytest.mark.parametrize("timed", [True, False])
def test_the_layers_are_their_formulas(histories: Tensor, timed: bool) -> None:
    model, times = scattered(), moments(histories)
    for row, moment in zip(histories[:4], times, strict=False):
        items = row[row > 0]
        first = LENGTH - len(items)
        xs = [
            math.sqrt(16) * model.items.weight[item] + model.positions.weight[first + place]
            for place, item in enumerate(items)
        ]
        for layer in model.layers:
            xs = plain_layer(layer, xs, moment[first:].tolist() if timed else None, heads=2)
        expected = torch.stack(xs)
        actual = model.hidden(row[None], moment[None] if timed else None)[0, first:]
        torch.testing.assert_close(actual, expected, rtol=1e-9, atol=1e-9)


def test_logits_are_cosines_over_the_temperature(histories: Tensor) -> None:
    model = scattered(temperature=0.05)
    states = model.hidden(histories[:1])[0]
    expected = torch.cosine_similarity(states[:, None], model.items.weight[None], dim=-1) / 0.05
    torch.testing.assert_close(model.logits(states), expected)


def test_a_bucket_is_a_step_of_the_logarithm_of_seconds() -> None:
    seconds = {0: 0, 1: 0, 2: 2, 60: 13, 86_400: 37, 315_360_000: 65}
    for apart, bucket in seconds.items():
        later, earlier = torch.tensor([[apart * SECOND + 7]]), torch.tensor([[7]])
        assert time_buckets(later, earlier).tolist() == [[[bucket]]]
        assert time_buckets(earlier, later).tolist() == [[[bucket]]]
    assert time_buckets(torch.tensor([[2**62]]), torch.tensor([[0]])).item() <= 128


def test_only_differences_of_times_count(histories: Tensor) -> None:
    model, times, real = scattered(), moments(histories), histories > 0
    before = model.hidden(histories, times)[real]
    torch.testing.assert_close(model.hidden(histories, times + SECOND * 99)[real], before)
    slower = 10**15 + 3 * (times - 10**15)
    assert not torch.allclose(model.hidden(histories, slower)[real], before)


def test_times_can_be_left_unused(histories: Tensor) -> None:
    model = scattered(time_bias=False)
    assert not any("time_bias" in name for name, _ in model.named_parameters())
    assert torch.equal(model.hidden(histories, moments(histories)), model.hidden(histories))
