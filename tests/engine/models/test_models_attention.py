"""The fused Transformer layer against attention written out head by head."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.models.layers.transformer import (
    TransformerLayer,
    attention,
    attention_on_gpu,
    causal_mask,
)


def by_hand(layer: TransformerLayer, x: Tensor, allowed: Tensor) -> Tensor:
    """Vaswani et al. 2017, eq. 1, for one sequence (W, d) and bool (W, W)."""
    weights, biases = layer.query_key_value.weight, layer.query_key_value.bias
    query, key, value = (
        x @ w.T + b for w, b in zip(weights.chunk(3), biases.chunk(3), strict=True)
    )
    size = x.shape[1] // layer.heads
    heads = []
    for part in (slice(i * size, (i + 1) * size) for i in range(layer.heads)):
        scores = query[:, part] @ key[:, part].T / math.sqrt(size)
        heads.append(scores.masked_fill(~allowed, -math.inf).softmax(dim=1) @ value[:, part])
    return layer.attention_output(torch.cat(heads, dim=1))


def feed_forward(layer: TransformerLayer, x: Tensor) -> Tensor:
    return layer.feed_forward_out(F.gelu(layer.feed_forward_in(x)))


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_layer_is_attention_and_feed_forward(norm) -> None:
    torch.manual_seed(0)
    layer = TransformerLayer(12, heads=3, dropout=0.0, norm=norm).double()
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    x = torch.randn(2, 7, 12, dtype=torch.float64)
    real = torch.ones(2, 7, dtype=torch.bool)
    real[1, :3] = False
    mask = causal_mask(real)
    expected = []
    for row, may in zip(x, mask[:, 0] == 0, strict=True):
        if norm == "pre":
            y = row + by_hand(layer, layer.attention_norm(row), may)
            y = y + feed_forward(layer, layer.feed_forward_norm(y))
        else:
            y = layer.attention_norm(row + by_hand(layer, row, may))
            y = layer.feed_forward_norm(y + feed_forward(layer, y))
        expected.append(y)
    torch.testing.assert_close(layer(x, mask), torch.stack(expected), rtol=1e-9, atol=1e-9)


def test_causal_mask() -> None:
    mask = causal_mask(torch.tensor([[False, False, True, True, True]]))[0, 0]
    assert (mask == 0).int().tolist() == [
        [1, 0, 0, 0, 0],
        [0, 1, 0, 0, 0],
        [0, 0, 1, 0, 0],
        [0, 0, 1, 1, 0],
        [0, 0, 1, 1, 1],
    ]


def test_written_out_attention_is_the_fused_one() -> None:
    """In bfloat16 on a CPU it isn't torch's kernel: equal to it but for rounding, gradients too."""
    torch.manual_seed(1)
    real = torch.ones(3, 9, dtype=torch.bool)
    real[1, :4] = False
    real[2] = False
    mask = causal_mask(real)
    results = []
    for dtype in (torch.bfloat16, torch.float32):
        torch.manual_seed(2)
        parts = [torch.randn(3, 2, 9, 8).bfloat16().to(dtype).requires_grad_() for _ in range(3)]
        mixed = attention(*parts, mask)
        mixed.sum(dim=-1).square().sum().backward()
        results.append([mixed, *(part.grad for part in parts)])
    for half, full in zip(*results, strict=True):
        assert half.dtype == torch.bfloat16
        scale = float(full.detach().abs().max())
        torch.testing.assert_close(half.float(), full, rtol=0.02, atol=0.02 * scale)


@pytest.mark.parametrize(("keys", "planned"), [(100, False), (200, True)])
def test_short_attention_on_a_gpu_needs_no_plan(
    monkeypatch: pytest.MonkeyPatch, keys: int, planned: bool
) -> None:
    """The function chooses among kernels that a CPU doesn't have, and computes on it all the
    same."""
    fused, seen = F.scaled_dot_product_attention, []

    def seeing(*args: Tensor, attn_mask: Tensor) -> Tensor:
        seen.append(torch.backends.cuda.cudnn_sdp_enabled())
        return fused(*args, attn_mask=attn_mask)

    monkeypatch.setattr(F, "scaled_dot_product_attention", seeing)
    query, key, value = torch.randn(3, 2, 1, keys, 4)
    mask = causal_mask(torch.ones(2, keys, dtype=torch.bool))
    mixed = attention_on_gpu(query, key, value, mask)
    torch.testing.assert_close(mixed, attention(query, key, value, mask))
    assert seen == [planned, True]
    assert torch.backends.cuda.cudnn_sdp_enabled()
