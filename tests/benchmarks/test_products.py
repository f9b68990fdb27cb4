"""The ceiling's products are those of the work, forward and backward."""

from __future__ import annotations

import torch

from benchmarks.products import products_of, replay

CPU = torch.device("cpu")


def test_a_linear_layer_makes_three_products() -> None:
    layer = torch.nn.Linear(5, 7)
    x = torch.randn(11, 5, requires_grad=True)
    found = products_of(lambda: layer(x).sum().backward())
    assert len(found) == 3
    assert sum(product.flops for product in found) == 3 * 2 * 11 * 5 * 7
    replay(found, CPU)()


def test_fused_attention_counts_as_its_products() -> None:
    query, key, value = (torch.randn(2, 3, 8, 4, requires_grad=True) for _ in range(3))

    def attend() -> None:
        out = torch.nn.functional.scaled_dot_product_attention(query, key, value)
        out.sum().backward()

    found = products_of(attend)
    one = 2 * 2 * 3 * 8 * 8 * 4
    assert sum(product.flops for product in found) == 6 * one
    replay(found, CPU)()


def test_a_matrix_by_a_vector_is_none() -> None:
    assert products_of(lambda: torch.randn(4, 5) @ torch.randn(5)) == []
    assert products_of(lambda: torch.randn(1, 5) @ torch.randn(5, 3)) == []
