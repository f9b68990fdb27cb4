"""Looking up scalars: the gradient that is summed in whole numbers, against an embedding's, and in
any order."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.models.layers.lookup import look_up_exactly

SIZE = 7


def gradient(table: Tensor, index: Tensor, grad: Tensor) -> Tensor:
    table = table.clone().requires_grad_()
    look_up_exactly(table, index).backward(grad)
    assert table.grad is not None
    return table.grad


@pytest.mark.parametrize("magnitude", [1e-30, 1.0, 1e20])
def test_the_gradient_is_that_of_an_embedding(magnitude: float) -> None:
    generator = torch.Generator().manual_seed(1)
    table = torch.randn(SIZE, generator=generator, dtype=torch.float64)
    index = torch.randint(SIZE - 1, (5, 40, 40), generator=generator)  # nothing at the last
    grad = magnitude * torch.randn(index.shape, generator=generator, dtype=torch.float64)

    weight = table[:, None].clone().requires_grad_()
    F.embedding(index, weight).squeeze(-1).backward(grad)
    assert weight.grad is not None

    assert torch.equal(look_up_exactly(table, index), table[index])
    found = gradient(table, index, grad)
    torch.testing.assert_close(found, weight.grad[:, 0], rtol=1e-9, atol=1e-9 * magnitude)
    assert found[-1] == 0


def test_the_gradient_is_the_same_in_any_order() -> None:
    generator = torch.Generator().manual_seed(2)
    index = torch.randint(SIZE, (8, 500), generator=generator)
    grad = torch.randn(index.shape, generator=generator) * 10.0 ** torch.randint(
        -6, 6, index.shape, generator=generator
    )
    table = torch.zeros(SIZE)
    expected = gradient(table, index, grad)
    for _ in range(5):
        order = torch.randperm(index.numel(), generator=generator)
        index, grad = (each.flatten()[order].view(each.shape) for each in (index, grad))
        assert torch.equal(gradient(table, index, grad), expected)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_what_is_not_finite_stays_so(bad: float) -> None:
    index = torch.zeros(2, 3, dtype=torch.int64)
    grad = torch.ones(2, 3)
    grad[1, 1] = bad
    assert gradient(torch.zeros(SIZE), index, grad).isnan().all()


def test_a_gradient_of_zero() -> None:
    index = torch.zeros(2, 3, dtype=torch.int64)
    assert not gradient(torch.zeros(SIZE), index, torch.zeros(2, 3)).any()
