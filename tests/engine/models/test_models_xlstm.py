"""The parallel form of the mLSTM against its recurrent form: the same formulas, step by step."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from engine.models.builtin.xlstm import XLSTM, MLSTMLayer, XLSTMSettings

TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-4}


def step_by_step(model: XLSTM, items: Tensor) -> Tensor:
    memories, outputs = None, []
    for column in items.unbind(dim=1):
        output, memories = model.step(column, memories)
        outputs.append(output)
    return torch.stack(outputs, dim=1)


def close(first: Tensor, second: Tensor) -> None:
    """Within the dtype's relative tolerance, of the value or of the tensor's typical value."""
    tolerance = TOLERANCE[first.dtype]
    typical = float(second.detach().abs().mean())
    torch.testing.assert_close(first, second, rtol=tolerance, atol=tolerance * typical)


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_parallel_is_recurrent(make, histories: Tensor, dtype: torch.dtype) -> None:
    model = make("xlstm", dtype)
    close(model.hidden(histories), step_by_step(model, histories))


def test_their_gradients_agree(make, histories: Tensor) -> None:
    """The parallel form passes no gradient through its stabiliser, and loses none by it."""
    model = make("xlstm")
    gradients = []
    for hidden in (model.hidden(histories), step_by_step(model, histories)):
        direction = torch.linspace(-1, 1, hidden.numel(), dtype=hidden.dtype).view_as(hidden)
        model.zero_grad()
        (hidden * direction).sum().backward()
        gradients.append({n: p.grad for n, p in model.named_parameters() if p.grad is not None})
    assert gradients[0].keys() == gradients[1].keys()
    for name, gradient in gradients[0].items():
        scale = float(gradients[1][name].abs().max())
        torch.testing.assert_close(gradient, gradients[1][name], rtol=1e-3, atol=2e-5 * scale)


def test_a_gap_of_padding_is_no_time(make, histories: Tensor) -> None:
    """Padding leaves the memory as it is wherever it stands."""
    model = make("xlstm")
    full = histories[:1]
    gap = torch.cat([full[:, :4], torch.zeros(1, 3, dtype=torch.long), full[:, 4:]], dim=1)
    hidden = model.hidden(gap)
    close(torch.cat([hidden[:, :4], hidden[:, 7:]], dim=1), model.hidden(full))
    close(hidden, step_by_step(model, gap))


def test_memory_of_padding_is_empty(make) -> None:
    model = make("xlstm")
    nothing = torch.zeros(3, dtype=torch.long)
    _, memories = model.step(nothing)
    _, memories = model.step(nothing, memories)
    for memory in memories:
        assert torch.count_nonzero(memory.c) == 0
        assert torch.count_nonzero(memory.n) == 0
        assert torch.isfinite(memory.m).all()


@pytest.mark.parametrize("forget", [-40.0, 40.0])
@pytest.mark.parametrize("write", [-40.0, 0.0, 40.0])
def test_extreme_gates_stay_finite(forget: float, write: float) -> None:
    """Gates at their caps over a long history: exp(±15) a step, stabilised."""
    torch.manual_seed(0)
    layer = MLSTMLayer(XLSTMSettings(dim=16, layers=1, heads=2))
    with torch.no_grad():
        layer.fgate_preact.bias.fill_(forget)
        layer.igate_preact.bias.fill_(write)
    x = torch.randn(2, 300, 16, requires_grad=True)
    real = torch.ones(2, 300, dtype=torch.bool)
    real[1, :299] = False
    output = layer(x, real)
    output.square().sum().backward()
    assert torch.isfinite(output).all()
    assert torch.isfinite(x.grad).all()
    memory, steps = None, []
    for t in range(300):
        step, memory = layer.step(x[:, t], real[:, t], memory)
        steps.append(step)
    torch.testing.assert_close(output, torch.stack(steps, dim=1), rtol=2e-3, atol=2e-3)


def test_soft_cap_bounds_the_scores(make, histories: Tensor) -> None:
    model = make("xlstm")
    with torch.no_grad():
        model.lm_head.weight *= 1000
    assert model.logits(model.hidden(histories)).abs().max() <= 30


def test_gates_begin_as_documented() -> None:
    model = XLSTM(XLSTMSettings(dim=32, layers=2, heads=4), 50, 10)
    for block in model.backbone.blocks:
        layer = block.mlstm_layer
        assert layer.fgate_preact.bias.tolist() == [3, 4, 5, 6]
        assert torch.count_nonzero(layer.fgate_preact.weight) == 0
        assert layer.igate_preact.bias.tolist() == [-3.0] * 4
        assert torch.count_nonzero(layer.igate_preact.weight) == 0
