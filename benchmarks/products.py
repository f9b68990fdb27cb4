"""The matrix products of some work: recorded while it runs, and done again without the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

ATTENTION = "_scaled_dot_product"
SQUARE = {"cpu": 2048, "cuda": 8192}
"""Rows of a product large enough to reach a device's full rate."""


@dataclass(frozen=True)
class Operand:
    """A factor's shape and how it lies in memory."""

    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def random(self, dtype: torch.dtype, device: torch.device) -> Tensor:
        cells = 1 + sum((n - 1) * s for n, s in zip(self.shape, self.strides, strict=True))
        flat = torch.randn(cells, device=device).to(dtype)
        return flat.as_strided(self.shape, self.strides)


@dataclass(frozen=True)
class Product:
    """(m, k) @ (k, n), or a batch of such: (b, m, k) @ (b, k, n)."""

    left: Operand
    right: Operand
    dtype: torch.dtype

    @property
    def flops(self) -> int:
        """2·m·k·n for each of the batch: a multiplication and an addition a term."""
        *batch, rows, inner = self.left.shape
        return 2 * (batch[0] if batch else 1) * rows * inner * self.right.shape[-1]


class Recording(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes every matrix product that is made inside it, forward and backward.

    Products of a matrix by a vector are none: memory bounds them, not arithmetic. Attention that is
    one fused kernel counts as the products that it stands for, without what it computes twice.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.products: list[Product] = []

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        name = func.overloadpacket.__name__
        if name in ("mm", "bmm"):
            self._note(args[0], args[1])
        elif name in ("addmm", "baddbmm"):
            self._note(args[1], args[2])
        elif name.startswith(ATTENTION):
            self._note_attention(args, backward=name.endswith("_backward"))
        return func(*args, **(kwargs or {}))

    def _note(self, left: Tensor, right: Tensor) -> None:
        if min(left.shape[-2], right.shape[-1]) > 1:
            factors = [Operand(tuple(x.shape), tuple(x.stride())) for x in (left, right)]
            self.products.append(Product(factors[0], factors[1], left.dtype))

    def _note_attention(self, args: tuple[Any, ...], *, backward: bool) -> None:
        query, key, value = (x.detach().flatten(0, 1) for x in args[backward : backward + 3])
        weights = query.new_empty(len(query), query.shape[1], key.shape[1])
        turned = weights.transpose(1, 2)
        if not backward:
            self._note(query, key.transpose(1, 2))
            self._note(weights, value)
            return
        out = query.new_empty(*query.shape[:2], value.shape[2])
        self._note(turned, out)
        self._note(out, value.transpose(1, 2))
        self._note(weights, key)
        self._note(turned, query)


def products_of(work: Callable[[], object]) -> list[Product]:
    """The matrix products of one call of ``work``, in order."""
    recording = Recording()
    with recording:
        work()
    return recording.products


def replay(products: Sequence[Product], device: torch.device) -> Callable[[], None]:
    """The products alone, back to back, on random data.

    Factors and results of one shape share their memory, so that caches hold more of them than in
    the work itself: the ceiling is not too low. On a GPU they are one CUDA graph, as the update is.
    """
    factors: dict[tuple[Operand, torch.dtype], Tensor] = {}
    results: dict[tuple[tuple[int, ...], torch.dtype], Tensor] = {}
    calls: list[tuple[Callable[..., Tensor], Tensor, Tensor, Tensor]] = []
    for product in products:
        dtype = product.dtype
        for operand in (product.left, product.right):
            if (operand, dtype) not in factors:
                factors[operand, dtype] = operand.random(dtype, device)
        left, right = factors[product.left, dtype], factors[product.right, dtype]
        shape = (*left.shape[:-1], right.shape[-1])
        if (shape, dtype) not in results:
            results[shape, dtype] = torch.empty(shape, dtype=dtype, device=device)
        multiply = torch.mm if left.dim() == 2 else torch.bmm
        calls.append((multiply, left, right, results[shape, dtype]))

    @torch.no_grad()
    def multiply_all() -> None:
        for multiply, left, right, out in calls:
            multiply(left, right, out=out)

    if device.type != "cuda":
        return multiply_all
    multiply_all()  # libraries set themselves up at their first calls
    torch.cuda.synchronize(device)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        multiply_all()

    def replay_graph() -> None:
        # The graph knows its arrays by address alone: they must live as long as it does.
        assert calls
        graph.replay()

    return replay_graph


def square_product(dtype: torch.dtype, device: torch.device) -> Product:
    """One large square product: what the device can do at best."""
    size = SQUARE[device.type]
    operand = Operand((size, size), (size, 1))
    return Product(operand, operand, dtype)
