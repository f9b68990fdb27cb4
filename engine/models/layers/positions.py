"""Position encodings of a Transformer: learned, rotary (RoPE) and linear biases (ALiBi)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

ROTATION_BASE = 10_000.0
"""As in RoFormer."""


def last_positions(table: nn.Embedding, width: int) -> Tensor:
    """Return the embeddings (width, d) of the last positions, for right-aligned histories.

    Raises:
        ValueError: the table has fewer positions.
    """
    if width > table.num_embeddings:
        raise ValueError(
            f"a history of {width} positions is longer than the model's {table.num_embeddings}; "
            "keep its most recent items only"
        )
    return table.weight[table.num_embeddings - width :]


def rotation(width: int, dim: int, device: torch.device) -> Tensor:
    """Return the cosines and sines (2, width, dim) of the angles for `rotate`.

    Su et al. 2021 (RoFormer), eq. 34: features i and i + dim / 2 are rotated by
    position · base^(-2i / dim). In float64, because in float32 the angle of a distant position has
    few digits left.
    """
    speed = ROTATION_BASE ** (-torch.arange(0, dim, 2, device=device, dtype=torch.float64) / dim)
    angle = torch.arange(width, device=device)[:, None] * speed
    return torch.stack([angle.cos(), angle.sin()]).repeat(1, 1, 2)


def rotate(x: Tensor, angles: Tensor) -> Tensor:
    """Rotate queries or keys (..., W, dim) by the result of `rotation`.

    Their products then depend on the distance of two positions only (Su et al. 2021, eq. 16).
    """
    cos, sin = angles.to(x.dtype)
    first, second = x.chunk(2, dim=-1)
    rotated: Tensor = x * cos + torch.cat([-second, first], dim=-1) * sin
    return rotated


def distance_biases(width: int, heads: int, device: torch.device) -> Tensor:
    """Return the biases (heads, width, width) to add to attention scores: -slope · distance.

    Press et al. 2022 (ALiBi), sec. 3, with a slope of 2^(-8h / heads) for head h; symmetric, for
    bidirectional models too.
    """
    slopes = torch.exp2(-8 * torch.arange(1, heads + 1, device=device) / heads)
    position = torch.arange(width, device=device)
    distance = (position[:, None] - position).abs()
    biases: Tensor = slopes[:, None, None] * -distance
    return biases
