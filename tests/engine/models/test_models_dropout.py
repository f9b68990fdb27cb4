"""Dropout: the share it drops, what it keeps, and that evaluation has none."""

from __future__ import annotations

import pytest
import torch

from engine.models.layers.dropout import Dropout


@pytest.mark.parametrize("p", [0.1, 0.3, 0.9])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_it_drops_its_share_and_scales_the_rest(p: float, dtype: torch.dtype) -> None:
    torch.manual_seed(1)
    x = torch.ones(401, 501, dtype=dtype)
    out = Dropout(p)(x)
    assert out.dtype == dtype
    kept = out != 0
    n = x.numel()
    assert abs(float(kept.double().mean()) - (1 - p)) < 5 * (p * (1 - p) / n) ** 0.5
    torch.testing.assert_close(
        out[kept], torch.full_like(out[kept], 1 / (1 - p)), rtol=8e-3, atol=0
    )


def test_neighbours_are_dropped_independently() -> None:
    """Four elements share a random word."""
    torch.manual_seed(2)
    kept = (Dropout(0.5)(torch.ones(40_000, 4)) != 0).double()
    correlation = torch.corrcoef(kept.T) - torch.eye(4)
    assert correlation.abs().max() < 0.03
    assert (kept.mean(dim=0) - 0.5).abs().max() < 0.015


def test_the_gradient_passes_where_the_value_did() -> None:
    torch.manual_seed(3)
    x = torch.randn(7, 5, requires_grad=True)
    out = Dropout(0.4)(x)
    (grad,) = torch.autograd.grad(out.sum(), x)
    torch.testing.assert_close(grad * x, out)


def test_the_same_seed_drops_the_same() -> None:
    masks = []
    for seed in (4, 4, 5):
        torch.manual_seed(seed)
        masks.append(Dropout(0.3)(torch.ones(50, 3)))
    assert torch.equal(masks[0], masks[1])
    assert not torch.equal(masks[0], masks[2])


def test_evaluation_and_a_share_of_nothing_change_nothing() -> None:
    x = torch.randn(5, 3)
    assert torch.equal(Dropout(0.3).eval()(x), x)
    assert torch.equal(Dropout(0.0)(x), x)
    assert Dropout(0.3)(x.new_empty(0, 3)).shape == (0, 3)
    assert Dropout(0.3)(x.T).shape == (3, 5)
