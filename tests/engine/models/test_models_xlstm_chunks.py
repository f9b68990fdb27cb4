"""The chunkwise form of the mLSTM: its results, and work that grows with W and not with W²."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from engine.models.builtin.xlstm import XLSTM, XLSTMSettings, soft_cap
from engine.models.layers.mlstm import (
    CHUNK,
    Memory,
    Parts,
    empty_memory,
    read_all,
    read_last,
    read_step,
)

CAP = 15.0
EXACT = {"rtol": 1e-9, "atol": 1e-9}


def random_parts(seed: int, width: int, gate_scale: float, padding: float) -> Parts:
    """Two histories, two heads; ``padding`` of the positions aren't real, the first ones more."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        return torch.randn(2, 2, width, *shape, generator=generator, dtype=torch.float64)

    log_input = soft_cap(gate_scale * draw() - 3, CAP)
    log_forget = torch.nn.functional.logsigmoid(soft_cap(gate_scale * draw() + 3, CAP))
    real = torch.rand(2, 1, width, generator=generator) >= padding
    real[:, :, : int(padding * width)] = False
    log_input = log_input.masked_fill(~real, -math.inf)
    log_forget = log_forget.masked_fill(~real, 0.0)
    parts = Parts(draw(3), draw(3), draw(5), log_input, log_forget)
    return Parts(*(part.requires_grad_() for part in parts))


def step_by_step(parts: Parts, eps: float) -> Tensor:
    columns = [Parts(*column) for column in zip(*(p.unbind(2) for p in parts), strict=True)]
    memory: Memory = empty_memory(columns[0].key, columns[0].value, -CAP)
    reads = []
    for column in columns:
        read, memory = read_step(column, memory, eps)
        reads.append(read)
    return torch.stack(reads, dim=2)


def gradients(out: Tensor, parts: Parts) -> tuple[Tensor, ...]:
    direction = torch.linspace(-1, 1, out.numel(), dtype=out.dtype).view_as(out)
    return torch.autograd.grad((out * direction).sum(), parts)


examples = given(
    seed=st.integers(0, 10**6),
    width=st.integers(1, 40),
    chunk=st.integers(1, 45),
    gate_scale=st.sampled_from([0.0, 1.0, 8.0, 100.0]),
    padding=st.sampled_from([0.0, 0.3, 0.9, 1.0]),
)


@examples
def test_chunkwise_is_parallel_is_recurrent(seed, width, chunk, gate_scale, padding) -> None:
    parts = random_parts(seed, width, gate_scale, padding)
    chunkwise = read_all(parts, -CAP, 1e-6, chunk=chunk)
    assert chunkwise.shape == (2, 2, width, 5)
    assert torch.isfinite(chunkwise).all()
    torch.testing.assert_close(chunkwise, read_all(parts, -CAP, 1e-6, chunk=width), **EXACT)
    torch.testing.assert_close(chunkwise, step_by_step(parts, 1e-6), **EXACT)
    last = parts._replace(query=parts.query[:, :, -1:])
    torch.testing.assert_close(read_last(last, -CAP, 1e-6), chunkwise[:, :, -1:], **EXACT)


@examples
def test_their_gradients_agree(seed, width, chunk, gate_scale, padding) -> None:
    """Without eps: nothing else in the output depends on the stabiliser."""
    parts = random_parts(seed, width, gate_scale, padding)
    mine = gradients(read_all(parts, -CAP, 0.0, chunk=chunk), parts)
    for form in (read_all(parts, -CAP, 0.0, chunk=width), step_by_step(parts, 0.0)):
        references = gradients(form, parts)
        # Of all of them: with one position the gates' gradients are nothing but rounding.
        scale = max(float(reference.abs().max()) for reference in references)
        for gradient, reference in zip(mine, references, strict=True):
            assert torch.isfinite(gradient).all()
            torch.testing.assert_close(gradient, reference, rtol=1e-7, atol=1e-9 * scale)


def test_gradients_are_those_of_finite_differences() -> None:
    parts = random_parts(1, 7, 1.0, 0.0)

    def chunkwise(*parts: Tensor) -> Tensor:
        return read_all(Parts(*parts), -CAP, 1e-6, chunk=3)

    assert torch.autograd.gradcheck(chunkwise, tuple(parts))


def model_of(width: int, dtype: torch.dtype, layers: int = 2) -> XLSTM:
    torch.manual_seed(0)
    model = XLSTM(XLSTMSettings(dim=16, layers=layers, heads=2), 37, width).to(dtype)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.3 * torch.randn_like(parameter)
    return model.eval()


def histories_of(width: int) -> Tensor:
    """From full to a single item to nothing, right-aligned, one with a gap."""
    items = torch.randint(1, 38, (5, width), generator=torch.Generator().manual_seed(2))
    for row, padding in enumerate((0, width // 3, width - 1, width)):
        items[row, :padding] = 0
    items[4, width // 4 : -3] = 0
    return items


@pytest.mark.parametrize("width", [CHUNK, CHUNK + 1, 2 * CHUNK + 3])
def test_the_whole_model_over_several_chunks(width: int) -> None:
    model, items = model_of(width, torch.float64), histories_of(width)
    hidden = model.hidden(items)
    memories, steps = None, []
    for column in items.unbind(dim=1):
        step, memories = model.step(column, memories)
        steps.append(step)
    torch.testing.assert_close(hidden, torch.stack(steps, dim=1), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(model.query(items), hidden[:, -1], **EXACT)


def test_bfloat16_is_close_to_float64() -> None:
    model, items = model_of(512, torch.float32), histories_of(512)
    with torch.autocast("cpu", torch.bfloat16):
        half = model.hidden(items).double()
    exact = model.double().hidden(items)
    assert torch.nn.functional.cosine_similarity(half, exact, dim=-1).min() > 0.99


class Sizes(TorchDispatchMode):
    """The largest array that any operation makes, and the operations."""

    def __init__(self) -> None:
        super().__init__()
        self.largest = 0
        self.operations: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        self.operations.add(func.overloadpacket.__name__)
        for tensor in out if isinstance(out, tuple | list) else (out,):
            if isinstance(tensor, Tensor):
                self.largest = max(self.largest, tensor.numel())
        return out


def sizes_of(width: int) -> Sizes:
    model = model_of(width, torch.float32).train()
    with Sizes() as sizes:
        model.hidden(torch.ones(1, width, dtype=torch.long)).sum().backward()
    return sizes


def test_no_array_grows_with_the_square_of_the_length() -> None:
    """Forward and backward: with two heads, one of all pairs would be of 2 · 1,024²."""
    short, long = sizes_of(512), sizes_of(1024)
    assert short.largest <= 2 * 512 * CHUNK
    assert long.largest == 2 * short.largest


WAITS = {"_local_scalar_dense", "item", "nonzero", "masked_select", "unique", "lift_fresh"}
"""Operations that wait for a device, or carry data to it from the host."""


def test_nothing_waits_for_the_device() -> None:
    model, items = model_of(150, torch.float32).train(), histories_of(150)
    with Sizes() as training:
        model.hidden(items).sum().backward()
    with Sizes() as evaluation, torch.no_grad():
        model.eval().query(items)
    assert not (training.operations | evaluation.operations) & WAITS
    with Sizes() as waiting:  # the names are those that torch uses
        torch.tensor([1.0]).item()
        items[items > 0].nonzero()
    assert {"_local_scalar_dense", "nonzero", "lift_fresh"} <= waiting.operations


def test_the_last_position_alone_is_less_work() -> None:
    """In the last block nothing but keys, values and gates is as long as the history."""
    model, items = model_of(200, torch.float32, layers=1), torch.ones(1, 200, dtype=torch.long)
    with Sizes() as one, torch.no_grad():
        model.query(items)
    with Sizes() as all_positions, torch.no_grad():
        model.hidden(items)
    assert one.largest <= 200 * (8 + 16)  # keys and values in one product
    assert all_positions.largest >= 2 * 200 * 50
