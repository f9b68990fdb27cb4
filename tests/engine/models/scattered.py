"""Weights large enough that every part of a small model shows in its output."""

from __future__ import annotations

import torch
from torch import nn


def scatter(model: nn.Module, scale: float = 0.5) -> None:
    """Redraw every parameter, norms and biases too, so that none hides behind a neutral value."""
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for parameter in model.parameters():
            noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            parameter.copy_(1.0 * (parameter == 1) + scale * noise)
