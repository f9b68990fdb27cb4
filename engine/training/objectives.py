"""What a batch of windows asks of the model: the cross-entropy over all items."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.models.base import SequenceModel
from engine.models.bert4rec import BERT4Rec
from engine.spec import Training
from engine.training.losses import cross_entropy
from engine.training.windows import Windows, item_batch, next_item_batch


def batch_loss(
    model: SequenceModel,
    items: Tensor,
    windows: Windows,
    length: int,
    training: Training,
    generator: torch.Generator,
) -> tuple[Tensor, int]:
    """The summed cross-entropy (nats) of one batch under the run's objective, and its targets."""
    width = window_width(training, length)
    if training.objective == "masked":
        return masked(model, item_batch(items, windows, width), training.mask_ratio, generator)
    return next_item(model, *next_item_batch(items, windows, width))


def window_width(training: Training, length: int) -> int:
    """BERT4Rec has one more position than items it sees: the place of [MASK] in evaluation."""
    return length + 1 if training.objective == "masked" else length


def next_item(model: SequenceModel, inputs: Tensor, targets: Tensor) -> tuple[Tensor, int]:
    """Predict every position's next item at once (Kang & McAuley 2018, sec. III-F, with a softmax
    over all items in place of one sampled negative).

    Args:
        inputs, targets: int64 (B, L); a target of 0 is none.
    """
    return _cross_entropy(model, model.hidden(inputs), targets)


def masked(
    model: SequenceModel, items: Tensor, ratio: float, generator: torch.Generator
) -> tuple[Tensor, int]:
    """Hide a share of the items and predict them from both sides (Sun et al. 2019, sec. 3.6).

    Every window hides at least one item; the last, where chance hid none, because that is the
    place evaluation asks for.

    Args:
        items: int64 (B, L + 1), right-aligned, 0 for padding.
    """
    assert isinstance(model, BERT4Rec)
    real = items > 0
    draw = torch.rand(items.shape, generator=generator).to(items.device)
    hidden = (draw < ratio) & real
    hidden[:, -1] |= ~hidden.any(dim=1)
    targets = torch.where(hidden, items, 0)
    inputs = torch.where(hidden, model.mask_token, items)
    return _cross_entropy(model, model.hidden(inputs), targets)


def _cross_entropy(model: SequenceModel, hidden: Tensor, targets: Tensor) -> tuple[Tensor, int]:
    """Logits only where there is a target: the output layer is most of the work."""
    flat = targets.flatten()
    chosen = flat.nonzero().squeeze(1)
    states = model.transform(hidden.flatten(0, 1).index_select(0, chosen))
    loss = cross_entropy(states, model.output_layer(), flat[chosen])
    return loss, int(chosen.numel())
