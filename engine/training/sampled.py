"""Losses over sampled negatives, for catalogues too large for a softmax over all items."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.models.base import OutputLayer


def sampled_cross_entropy(
    states: Tensor, output: OutputLayer, targets: Tensor, negatives: Tensor
) -> Tensor:
    """Sum the sampled cross-entropy (nats) of ``targets``, int64 (N,), given ``states`` (N, d).

    The softmax's sum over all V items is estimated from ``negatives``, int64 (k,), drawn uniformly
    from them: each stands for V / k items, so that the estimate of the normaliser has no bias
    (Bengio & Senécal 2008, sec. III). All targets share the negatives, whose logits are then one
    matrix product. A negative equal to a row's target is left out of that row.
    """
    positive, negative = _sampled_logits(states, output, targets, negatives)
    stands_for = math.log((len(output.weight) - 1) / len(negatives))
    logits = torch.cat([positive[:, None], negative + stands_for], dim=1)
    loss = logits.logsumexp(dim=1) - positive
    return (loss * (targets > 0)).sum()


def gbce(
    states: Tensor, output: OutputLayer, targets: Tensor, negatives: Tensor, calibration: float
) -> Tensor:
    """Sum the generalised binary cross-entropy (Petrov & Macdonald 2023, gSASRec, eq. 9 and 15) of
    ``targets``, int64 (N,), given ``states`` (N, d).

    With a sampling rate α = k / (V - 1), the positive's probability is raised to the power
    β = α (t (1 - 1 / α) + 1 / α), t being ``calibration``. Negatives, int64 (k,), are shared by
    all targets; one equal to a row's target is left out of that row.
    """
    positive, negative = _sampled_logits(states, output, targets, negatives)
    rate = len(negatives) / (len(output.weight) - 2)
    power = rate * (calibration * (1 - 1 / rate) + 1 / rate)
    likelihood = power * F.logsigmoid(positive) + F.logsigmoid(-negative).sum(dim=1)
    return -(likelihood * (targets > 0)).sum() / (len(negatives) + 1)


def _sampled_logits(
    states: Tensor, output: OutputLayer, targets: Tensor, negatives: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the logits of the targets, (N,), and of the negatives, (N, k), in float32 or better;
    -inf where a negative is the target."""
    # A single look-up, because the gradient of each is as large as all weights.
    weight = F.embedding(torch.cat([targets, negatives]), output.weight)
    own, others = weight[: len(targets)], weight[len(targets) :]
    positive = (states * own).sum(dim=1)
    negative = states @ others.T.to(states.dtype)
    exact = torch.promote_types(output.weight.dtype, torch.float32)
    positive, negative = positive.to(exact), negative.to(exact)
    if output.bias is not None:
        positive, negative = positive + output.bias[targets], negative + output.bias[negatives]
    if output.soft_cap is not None:
        positive, negative = (
            output.soft_cap * torch.tanh(x / output.soft_cap) for x in (positive, negative)
        )
    return positive, negative.masked_fill(targets[:, None] == negatives, -math.inf)
