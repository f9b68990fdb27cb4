"""How a Transformer knows the order of its items: three ways."""

from __future__ import annotations

import torch
from torch import Tensor, nn

ROTATION_BASE = 10_000.0


def last_positions(table: nn.Embedding, width: int) -> Tensor:
    """The embeddings (width, d) of the last ``width`` positions: histories are right-aligned.

    Raises:
        ValueError: there are fewer positions than that.
    """
    if width > table.num_embeddings:
        raise ValueError(
            f"a history of {width} positions is longer than the model's {table.num_embeddings}; "
            "keep its most recent items only"
        )
    return table.weight[table.num_embeddings - width :]


def rotation(width: int, dim: int, device: torch.device) -> Tensor:
    """Cosines and sines, (2, width, dim), that `rotate` turns positions by.

    Su et al. 2021 (RoFormer), eq. 34: features i and i + dim / 2 are turned by
    position · base^(-2i / dim). In float64: a far position's angle has few digits left otherwise.
    """
    speed = ROTATION_BASE ** (-torch.arange(0, dim, 2, device=device, dtype=torch.float64) / dim)
    angle = torch.arange(width, device=device)[:, None] * speed
    return torch.stack([angle.cos(), angle.sin()]).repeat(1, 1, 2)


def rotate(x: Tensor, turn: Tensor) -> Tensor:
    """Turn queries or keys (..., W, dim) by `rotation`: their products then depend on the
    distance of two positions only (Su et al. 2021, eq. 16)."""
    cos, sin = turn.to(x.dtype)
    first, second = x.chunk(2, dim=-1)
    turned: Tensor = x * cos + torch.cat([-second, first], dim=-1) * sin
    return turned


def distance_penalty(width: int, heads: int, device: torch.device) -> Tensor:
    """What to add to attention scores, (heads, width, width): a slope a head, times the distance.

    Press et al. 2022 (ALiBi), sec. 3, with slopes 2^(-8h / heads); in both directions for models
    that look both ways.
    """
    slopes = torch.exp2(-8 * torch.arange(1, heads + 1, device=device) / heads)
    place = torch.arange(width, device=device)
    distance = (place[:, None] - place).abs()
    penalty: Tensor = slopes[:, None, None] * -distance
    return penalty
