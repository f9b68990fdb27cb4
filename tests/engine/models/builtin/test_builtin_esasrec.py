"""eSASRec against its formulas, written out position by position."""

from __future__ import annotations

import math

import torch
from scattered import scatter
from torch import Tensor, nn

from engine.models.builtin.esasrec import MODEL, LiGRLayer

ITEMS, LENGTH = 37, 12


def normed(x: Tensor, norm: nn.LayerNorm) -> Tensor:
    centred = x - x.mean()
    return centred / (centred.square().mean() + 1e-5).sqrt() * norm.weight + norm.bias


def plain_layer(layer: LiGRLayer, xs: list[Tensor], heads: int) -> list[Tensor]:
    """Borisyuk et al. 2025, sec. 3.2: x + σ(W x) ∘ part(norm(x)), twice, for items (W of (d,))."""
    size = len(xs[0]) // heads
    inputs = [normed(x, layer.attention_norm) for x in xs]
    outputs = []
    for last, x in enumerate(xs):
        mixed = []
        for head in range(heads):
            own = slice(head * size, (head + 1) * size)
            query = layer.query(inputs[last])[own]
            keys = [layer.key_value(y)[: len(x)][own] for y in inputs[: last + 1]]
            values = [layer.key_value(y)[len(x) :][own] for y in inputs[: last + 1]]
            weights = [(query @ key / math.sqrt(size)).exp() for key in keys]
            pairs = zip(weights, values, strict=True)
            mixed.append(sum(w * v for w, v in pairs) / sum(weights))
        gate = 1 / (1 + (-layer.attention_gate(x)).exp())
        x = x + gate * layer.attention_output(torch.cat(mixed))
        inner = normed(x, layer.feed_forward_norm)
        up = layer.feed_forward.gate(inner)
        up = up / (1 + (-up).exp()) * layer.feed_forward.up(inner)
        gate = 1 / (1 + (-layer.feed_forward_gate(x)).exp())
        outputs.append(x + gate * layer.feed_forward.down(up))
    return outputs


def test_the_layers_are_their_formulas(histories: Tensor) -> None:
    model = MODEL.build({"dim": 16, "layers": 2, "heads": 4, "widening": 3}, ITEMS, LENGTH)
    model = model.double().eval()
    scatter(model, 0.3)
    for row in histories[:4]:
        items = row[row > 0]
        places = range(LENGTH - len(items), LENGTH)
        xs = [
            model.items.weight[item] + model.positions.weight[place]
            for item, place in zip(items, places, strict=True)
        ]
        for layer in model.layers:
            xs = plain_layer(layer, xs, heads=4)
        expected = torch.stack(xs)
        actual = model.hidden(row[None])[0, LENGTH - len(items) :]
        torch.testing.assert_close(actual, expected, rtol=1e-9, atol=1e-9)
        logits = model.logits(actual[-1])
        torch.testing.assert_close(logits[5], model.items.weight[5] @ expected[-1])
