"""The training loss of targets given states; the full softmax goes over its rows in chunks, so that
its memory doesn't grow with targets × items."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.models.base import OutputLayer
from engine.spec import Training
from engine.training.sampled import gbce, sampled_cross_entropy

CPU_LOGITS = 1 << 21
"""Logits in a chunk on a CPU: few enough for its caches."""

LEAST_ROWS = 256
"""A chunk's rows are a multiple of this: every chunk passes over all weights, so that smaller ones
cost more than they save, and libraries prepare each shape."""

GPU_LOGITS = 1 << 26
"""Logits in a chunk on a GPU: enough to fill it."""

GPU_COLUMNS = 8
"""On a GPU, logits have a multiple of this many columns: its fast products want rows of a multiple
of 16 bytes, and catalogues have any number of items."""


def target_loss(
    states: Tensor,
    output: OutputLayer,
    targets: Tensor,
    training: Training,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Sum the configured loss (nats) of ``targets``, int64 (N,), given ``states`` (N, d).

    Targets of 0 are padding and add nothing.

    Args:
        generator: for the negatives; torch's global one by default.
    """
    if training.loss == "full":
        return cross_entropy(states, output, targets, label_smoothing=training.label_smoothing)
    items = len(output.weight) - 1
    negatives = torch.randint(
        1, items + 1, (training.negatives,), device=states.device, generator=generator
    )
    if training.loss == "sampled":
        return sampled_cross_entropy(states, output, targets, negatives)
    return gbce(states, output, targets, negatives, training.gbce_calibration)


def cross_entropy(
    states: Tensor,
    output: OutputLayer,
    targets: Tensor,
    *,
    label_smoothing: float = 0.0,
    rows: int | None = None,
    columns: int | None = None,
) -> Tensor:
    """Sum the cross-entropy (nats) of ``targets``, int64 (N,), given ``states`` (N, d).

    Equal to ``F.cross_entropy(output.logits(states), targets, reduction="sum", ignore_index=0)``,
    gradients included, but the logits of at most ``rows`` targets exist at a time. Gradients are
    computed in the forward pass, so that logits are computed once (as in Hsu et al. 2024, Liger
    Kernel, sec. 3.2). Logits and probabilities have autocast's type: bfloat16 halves the passes
    over memory, which cost as much as the products. A target's probability counts as no smaller
    than the smallest normal number of that type.

    Args:
        label_smoothing: share of a target's probability that is spread over items 1…V (Szegedy et
            al. 2016, sec. 7).
        rows: of a chunk; chosen by device and catalogue unless given.
        columns: logits have a multiple of this many, the additional ones with a probability of 0;
            chosen by device unless given.
    """
    kind = states.device.type
    if rows is None:
        rows = (CPU_LOGITS if kind == "cpu" else GPU_LOGITS) // len(output.weight)
        rows = max(LEAST_ROWS, rows - rows % LEAST_ROWS)
    if columns is None:
        columns = 1 if kind == "cpu" else GPU_COLUMNS
    padding = -len(output.weight) % columns
    dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else states.dtype
    loss: Tensor = _ChunkedCrossEntropy.apply(  # type: ignore[no-untyped-call]
        *(states, output.weight, output.bias, targets, output.soft_cap, label_smoothing),
        *(rows, padding, dtype),
    )
    return loss


class _ChunkedCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        states: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        targets: Tensor,
        soft_cap: float | None,
        smoothing: float,
        rows: int,
        padding: int,
        dtype: torch.dtype,
    ) -> Tensor:
        exact = torch.promote_types(weight.dtype, torch.float32)
        loss = torch.zeros((), dtype=exact, device=states.device)
        states_grad = torch.empty_like(states)
        weight_grad = torch.zeros_like(weight)
        bias_grad = None if bias is None else torch.zeros_like(bias)
        items = len(weight) - 1
        with torch.autocast(states.device.type, enabled=False):
            matrix = _padded(weight.to(dtype), padding)
            # A soft cap divides the weights here: they are fewer than the logits.
            shrink = 1.0 if soft_cap is None else 1 / soft_cap
            scaled = matrix * shrink
            offset = None if bias is None else _padded(bias.to(dtype) * shrink, padding)
            for first in range(0, len(states), rows):
                target = targets[first : first + rows, None]
                # Padding rows are zeroed in the small factors, not in the logits: that saves a
                # pass over the largest array.
                counts = (target > 0).to(exact)
                part = states[first : first + rows].to(dtype)
                logits = F.linear(part, scaled, offset)
                if soft_cap is not None:
                    capped = logits.tanh_()
                    logits = capped * soft_cap
                if padding:
                    logits[:, items + 1 :] = -math.inf
                probability = logits.softmax(dim=1)
                likelihood = _log(probability.gather(1, target).to(exact))
                if smoothing:
                    normaliser = logits.gather(1, target).to(exact) - likelihood
                    mean = logits[:, 1 : items + 1].sum(dim=1, keepdim=True, dtype=exact) / items
                    likelihood = (1 - smoothing) * likelihood + smoothing * (mean - normaliser)
                    probability[:, 1 : items + 1] -= smoothing / items
                loss -= (likelihood * counts).sum()
                row = torch.arange(len(target), device=target.device)
                probability[row, target[:, 0]] -= 1 - smoothing
                grad = probability
                if soft_cap is not None:
                    grad = torch.ops.aten.tanh_backward(grad, capped)
                counts = counts.to(dtype)
                if bias_grad is not None:
                    bias_grad += (counts.T @ grad)[0, : items + 1]
                states_grad[first : first + rows] = (grad @ matrix) * counts
                weight_grad += (grad.T @ (part * counts))[: items + 1]
        ctx.save_for_backward(states_grad, weight_grad, bias_grad)
        return loss

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (scale,) = grads
        states_grad, weight_grad, bias_grad = ctx.saved_tensors
        return (
            states_grad * scale.to(states_grad.dtype),
            weight_grad * scale,
            None if bias_grad is None else bias_grad * scale,
            *(None,) * 6,
        )


def _padded(values: Tensor, rows: int) -> Tensor:
    """Return ``values`` with so many rows of zeros more."""
    return torch.cat([values, values.new_zeros(rows, *values.shape[1:])]) if rows else values


def _log(probability: Tensor) -> Tensor:
    return probability.clamp(min=torch.finfo(probability.dtype).tiny).log()
