"""Rotations and penalties against their definitions."""

from __future__ import annotations

import math

import pytest
import torch

from engine.models.layers.positions import distance_biases, rotate, rotation

CPU = torch.device("cpu")


def test_rotated_products_depend_on_the_distance_only() -> None:
    """Su et al. 2021, eq. 16."""
    torch.manual_seed(0)
    query, key = torch.randn(2, 8, dtype=torch.float64)
    turn = rotation(20, 8, CPU)
    queries, keys = rotate(query.expand(20, 8), turn), rotate(key.expand(20, 8), turn)
    products = queries @ keys.T
    for distance in range(-19, 20):
        along = products.diagonal(distance)
        torch.testing.assert_close(along, along[:1].expand_as(along), rtol=1e-9, atol=1e-12)
    assert products[0].std() > 0.1, "the distance matters"


def test_rotation_turns_pairs_of_features() -> None:
    """A feature pair at position 3, by 3 · 10000^(-2i / 4) radians."""
    turned = rotate(torch.tensor([1.0, 2.0, 0.0, 0.0]).expand(4, 4), rotation(4, 4, CPU))[3]
    slow = 3 * 0.01
    expected = [math.cos(3), 2 * math.cos(slow), math.sin(3), 2 * math.sin(slow)]
    assert turned.tolist() == pytest.approx(expected, rel=1e-5)


def test_penalties_fall_with_the_distance() -> None:
    """Press et al. 2022: eight heads have the slopes 1/2, 1/4, … 1/256."""
    biases = distance_biases(5, 8, CPU)
    assert biases[:, 4, 3].tolist() == pytest.approx([-(2.0**-h) for h in range(1, 9)])
    assert biases[0, 4].tolist() == pytest.approx([-2.0, -1.5, -1.0, -0.5, 0.0])
    assert torch.equal(biases, biases.transpose(1, 2))
