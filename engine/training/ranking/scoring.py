"""The scores that a model gives every item as the next one."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.models.base import Model, SequenceModel


def scores(
    model: Model, items: Tensor, times: Tensor | None = None, *, bfloat16: bool = False
) -> Tensor:
    """Return the score of every item as the next one: float32 (B, V + 1); column 0 is padding.

    Args:
        items: int64 (B, W), W ≤ L, right-aligned.
        times: as in `Model.scores`.
        bfloat16: for the layers of a `SequenceModel`; its logits are float32, because in bfloat16
            they tie. Other models don't tell their layers from their scores, so that all of them
            is float32.
    """
    layers = bfloat16 and isinstance(model, SequenceModel)
    with torch.autocast(items.device.type, torch.bfloat16, enabled=layers):
        return model.scores(items, times).float()
