"""Looking up scalars in a table at many places, with a gradient that is equal at each execution."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

SUM_BITS = 62
"""Of an int64, without its sign and one bit to spare."""


def look_up(table: nn.Embedding, index: Tensor) -> Tensor:
    """Return the entries of a table of one column at int64 (rows, …), in its shape."""
    if index.device.type == "cpu":  # sums a table's gradient in the order of the index
        found: Tensor = table(index)[..., 0]
        return found
    return look_up_exactly(table.weight[:, 0], index)


def look_up_exactly(table: Tensor, index: Tensor) -> Tensor:
    """Return the entries of a table (n,) at int64 (rows, …), in its shape; the gradient is summed
    in whole numbers, whose sum is the same in any order.

    A GPU sums the gradient of an embedding with few rows and many look-ups in no fixed order.
    """
    found: Tensor = _LookUp.apply(table, index)  # type: ignore[no-untyped-call]
    return found


class _LookUp(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, table: Tensor, index: Tensor) -> Tensor:
        ctx.save_for_backward(index)
        ctx.size = len(table)
        return table[index]

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (grad,) = grads
        (index,) = ctx.saved_tensors
        return _sums(grad, index, ctx.size).to(grad.dtype), None


def _sums(values: Tensor, index: Tensor, size: int) -> Tensor:
    """Sum the values at each index, float64 (size,); NaN if any value isn't finite."""
    # The largest value has so many bits that a sum of as many can't overflow.
    bits = SUM_BITS - math.ceil(math.log2(max(2, index.numel())))
    largest = values.abs().amax().double().clamp(min=torch.finfo(torch.float32).tiny)
    scale = torch.exp2(bits - largest.log2().ceil())
    whole = (values.double() * scale).round().long()
    # A sum for each row first: fewer values meet at one place.
    rows = len(index)
    row = torch.arange(rows, device=index.device)[:, None]
    places = (index.flatten(1) + size * row).flatten()
    sums = torch.zeros(rows * size, dtype=torch.int64, device=index.device)
    sums.index_add_(0, places, whole.flatten())
    total: Tensor = sums.view(rows, size).sum(0).double() / scale
    return torch.where(torch.isfinite(largest), total, torch.nan)
