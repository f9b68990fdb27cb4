"""The loss of targets given states; over all items in parts, so that its memory doesn't grow with
targets × items."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.models.base import OutputLayer
from engine.spec import Training
from engine.training.sampled import gbce, sampled_cross_entropy

CPU_SCORES = 1 << 21
"""Scores at once on a CPU: few enough for its caches."""

LEAST_ROWS = 256
"""Rows at once are a multiple of this: each part passes over all weights, so that thinner ones cost
more than they save, and libraries prepare each shape."""

GPU_SCORES = 1 << 26
"""Scores at once on a GPU: enough to fill it."""


def target_loss(
    states: Tensor,
    output: OutputLayer,
    targets: Tensor,
    training: Training,
    generator: torch.Generator | None = None,
) -> Tensor:
    """The summed loss (nats) of ``targets``, int64 (N,), given ``states`` (N, d), as configured.

    A target of 0 is none, and counts for nothing. ``generator`` draws negatives, torch's own unless
    given.
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
) -> Tensor:
    """The summed cross-entropy (nats) of ``targets``, int64 (N,), given ``states`` (N, d).

    Equal to ``F.cross_entropy(output.scores(states), targets, reduction="sum", ignore_index=0)``,
    gradients too, while the scores of at most ``rows`` targets exist at a time. The
    gradients are made on the way forward, so scores are computed once (as in Hsu et al. 2024,
    Liger Kernel, sec. 3.2). Scores and probabilities are kept in autocast's type: in bfloat16 that
    halves the passes over memory, which cost as much as the products. A target's probability
    counts as no smaller than that type's smallest normal number. ``label_smoothing`` spreads that
    share of the target's probability over items 1…V (Szegedy et al. 2016, sec. 7).
    """
    kind = states.device.type
    if rows is None:
        rows = (CPU_SCORES if kind == "cpu" else GPU_SCORES) // len(output.weight)
        rows = max(LEAST_ROWS, rows - rows % LEAST_ROWS)
    dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else states.dtype
    loss: Tensor = _InParts.apply(  # type: ignore[no-untyped-call]
        states, output.weight, output.bias, targets, output.soft_cap, label_smoothing, rows, dtype
    )
    return loss


class _InParts(torch.autograd.Function):
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
        dtype: torch.dtype,
    ) -> Tensor:
        exact = torch.promote_types(weight.dtype, torch.float32)
        loss = torch.zeros((), dtype=exact, device=states.device)
        states_grad = torch.empty_like(states)
        weight_grad = torch.zeros_like(weight)
        bias_grad = None if bias is None else torch.zeros_like(bias)
        items = len(weight) - 1
        with torch.autocast(states.device.type, enabled=False):
            matrix = weight.to(dtype)
            # A cap divides the weights here: they are fewer than the scores.
            shrink = 1.0 if soft_cap is None else 1 / soft_cap
            scaled = matrix * shrink
            offset = None if bias is None else bias.to(dtype) * shrink
            for first in range(0, len(states), rows):
                target = targets[first : first + rows, None]
                # Rows without a target are left out of the small factors, not of the scores:
                # that saves a pass over the largest array.
                counts = (target > 0).to(exact)
                part = states[first : first + rows].to(dtype)
                scores = F.linear(part, scaled, offset)
                if soft_cap is not None:
                    capped = scores.tanh_()
                    scores = capped * soft_cap
                probability = scores.softmax(dim=1)
                likelihood = _log(probability.gather(1, target).to(exact))
                if smoothing:
                    normaliser = scores.gather(1, target).to(exact) - likelihood
                    mean = scores[:, 1:].sum(dim=1, keepdim=True, dtype=exact) / items
                    likelihood = (1 - smoothing) * likelihood + smoothing * (mean - normaliser)
                    probability[:, 1:] -= smoothing / items
                loss -= (likelihood * counts).sum()
                row = torch.arange(len(target), device=target.device)
                probability[row, target[:, 0]] -= 1 - smoothing
                grad = probability
                if soft_cap is not None:
                    grad = torch.ops.aten.tanh_backward(grad, capped)
                counts = counts.to(dtype)
                if bias_grad is not None:
                    bias_grad += (counts.T @ grad)[0]
                states_grad[first : first + rows] = (grad @ matrix) * counts
                weight_grad += grad.T @ (part * counts)
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
            *(None,) * 5,
        )


def _log(probability: Tensor) -> Tensor:
    return probability.clamp(min=torch.finfo(probability.dtype).tiny).log()
