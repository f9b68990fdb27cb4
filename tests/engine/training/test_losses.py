"""The cross-entropy in parts is the plain one."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from engine.models.base import OutputLayer
from engine.training.losses import cross_entropy


@pytest.mark.parametrize("rows", [1, 3, 7, 100])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("soft_cap", [None, 2.0])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("columns", [1, 8])
def test_equals_the_plain_form_with_its_gradients(
    rows: int, bias: bool, soft_cap: float | None, smoothing: float, columns: int
) -> None:
    generator = torch.Generator().manual_seed(0)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64).requires_grad_()

    inputs = [draw(7, 5), draw(11, 5), *([draw(11)] if bias else [])]
    targets = torch.tensor([3, 3, 1, 10, 7, 0, 2])
    output = OutputLayer(inputs[1], inputs[2] if bias else None, soft_cap)

    scores = output.logits(inputs[0])
    plain = F.cross_entropy(scores, targets, reduction="sum", ignore_index=0)
    if smoothing:
        spread = -scores.log_softmax(dim=1)[:, 1:].mean(dim=1)[targets > 0].sum()
        plain = (1 - smoothing) * plain + smoothing * spread
    parts = cross_entropy(
        inputs[0], output, targets, label_smoothing=smoothing, rows=rows, columns=columns
    )

    torch.testing.assert_close(parts, plain, rtol=1e-12, atol=1e-12)
    expected = torch.autograd.grad(plain / 7, inputs)
    found = torch.autograd.grad(parts / 7, inputs)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("soft_cap", [None, 30.0])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_in_bfloat16_it_is_close(soft_cap: float | None, smoothing: float) -> None:
    torch.manual_seed(0)
    states, weight = torch.randn(300, 16), torch.randn(97, 16)
    targets = torch.randint(0, 97, (300,))

    def of(dtype: torch.dtype) -> tuple[torch.Tensor, ...]:
        inputs = [x.to(dtype).requires_grad_() for x in (states, weight)]
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.float32):
            output = OutputLayer(inputs[1], soft_cap=soft_cap)
            loss = cross_entropy(inputs[0], output, targets, label_smoothing=smoothing, rows=128)
        return loss.detach(), *torch.autograd.grad(loss, inputs)

    for narrow, exact in zip(of(torch.float32), of(torch.float64), strict=True):
        assert narrow.dtype == torch.float32
        assert float((narrow - exact).norm() / exact.norm()) < 1e-2


def test_of_padding_alone_is_zero_with_its_gradients() -> None:
    states = torch.randn(5, 2, requires_grad=True)
    loss = cross_entropy(states, OutputLayer(torch.randn(4, 2)), torch.zeros(5, dtype=torch.int64))
    assert float(loss.detach()) == 0
    (grad,) = torch.autograd.grad(loss, states)
    assert not grad.any()


def test_of_nothing_is_zero() -> None:
    output = OutputLayer(torch.ones(4, 2))
    assert float(cross_entropy(torch.ones(0, 2), output, torch.zeros(0, dtype=torch.int64))) == 0
