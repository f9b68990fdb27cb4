"""The mLSTM cell without its projections: Beck et al. 2024 (arXiv:2405.04517), sec. 2.3.

With F_t the sum of the log forget gates up to t and i_j the log input gate, the weight of position
j at t is

    exp(F_t - F_j + i_j - m_t)  =  exp(a_j - M_t),   a_j = i_j - F_j,   M_t = max over j ≤ t of a_j,

where m_t = F_t + M_t is the stabiliser (appendix A.3, with a running maximum over positions instead
of one over pairs of positions). The output doesn't depend on the stabiliser, so no gradient flows
through it.

At padding, the log input gate is -inf and the log forget gate 0. Elsewhere, no log input gate is
below ``empty``, the stabiliser of an empty memory.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

CHUNK = 64
"""Most positions of a chunk. At about this size, the pairs within a chunk cost as much as the
memories between chunks, and the arrays of pairs fit a processor's caches."""


class Parts(NamedTuple):
    """The cell's inputs; gates in float32 or better."""

    query: Tensor
    """(B, heads, W, d_k), divided by √d_k."""
    key: Tensor
    """(B, heads, W, d_k)."""
    value: Tensor
    """(B, heads, W, d_v)."""
    log_input: Tensor
    """(B, heads, W)."""
    log_forget: Tensor
    """(B, heads, W)."""


class Memory(NamedTuple):
    """The state of one mLSTM layer, scaled by exp(-m) (Beck et al. 2024, eq. 19-27)."""

    c: Tensor
    """(B, heads, d_k, d_v): the matrix memory."""
    n: Tensor
    """(B, heads, d_k): the normaliser."""
    m: Tensor
    """(B, heads): the log stabiliser."""


def empty_memory(key: Tensor, value: Tensor, empty: float) -> Memory:
    """Return the memory before any item, for keys (B, heads, d_k) and values (B, heads, d_v)."""
    return Memory(
        c=key.new_zeros(*key.shape, value.shape[-1]),
        n=torch.zeros_like(key),
        m=key.new_full(key.shape[:-1], empty),
    )


def read_step(parts: Parts, before: Memory, eps: float) -> tuple[Tensor, Memory]:
    """Recurrent form: return the output (B, heads, d_v) of one position and the memory after it.

    Beck et al. 2024, eq. 19-27, stabilised as in eq. 15.

    Args:
        parts: of the position, without the axis W.
        before: the memory before it.
        eps: added to the normaliser.
    """
    query, key, value, log_input, log_forget = parts
    m = torch.maximum(log_forget + before.m, log_input)
    keep = torch.exp(log_forget + before.m - m)[..., None]
    write = torch.exp(log_input - m)[..., None] * key
    c = keep[..., None] * before.c + write[..., None] * value[..., None, :]
    n = keep * before.n + write
    read = (query[..., None, :] @ c).squeeze(-2)
    return _normalised(read, (query * n).sum(dim=-1), -m, eps), Memory(c, n, m)


def read_last(parts: Parts, empty: float, eps: float) -> Tensor:
    """Parallel form for the last position: return its output, (B, heads, 1, d_v), in O(W).

    Args:
        parts: of all positions, but with the last query only, (B, heads, 1, d_k).
    """
    query, key, value, log_input, log_forget = parts
    forgotten = F.pad(log_forget[..., 1:], (0, 1)).flip(-1).cumsum(dim=-1).flip(-1)
    log_weight = log_input + forgotten
    m = _largest(log_weight, empty)
    mixing = query @ key.transpose(-2, -1) * torch.exp(log_weight - m)[..., None, :]
    return _normalised(mixing.to(value.dtype) @ value, mixing.sum(dim=-1), -m, eps)


def read_all(parts: Parts, empty: float, eps: float, *, chunk: int = CHUNK) -> Tensor:
    """Chunkwise form: return the output of all positions, (B, heads, W, d_v), in O(W × ``chunk``).

    Beck et al. 2025, Tiled Flash Linear Attention (arXiv:2503.14376), sec. 2: within a chunk,
    weights are computed for all pairs of positions; earlier chunks are summarised by a memory.
    """
    width = parts.key.shape[2]
    chunks = -(-width // chunk)
    padding = -width % chunks
    if padding:
        parts = _pad(parts, padding)
    query, key, value, log_input, log_forget = (
        part.reshape(*part.shape[:2], chunks, -1, *part.shape[3:]) for part in parts
    )
    decay = log_forget.cumsum(dim=-1)
    source = log_input - decay
    with torch.no_grad():
        largest = source.cummax(dim=-1).values
    if chunks == 1:
        largest = largest.clamp(min=empty)
        read, normaliser = _within(query, key, value, source, largest)
    else:
        before = _memories(key, value, source, decay[..., -1], largest[..., -1:], empty)
        largest = torch.maximum(largest, before.m)
        read, normaliser = _within(query, key, value, source, largest)
        query = query * torch.exp(before.m - largest)[..., None].to(query.dtype)
        read = read + query @ before.c
        normaliser = normaliser + (query @ before.n[..., None]).squeeze(-1)
    out = _normalised(read, normaliser, -decay - largest, eps).flatten(2, 3)
    return out[:, :, padding:]


def _pad(parts: Parts, padding: int) -> Parts:
    """Prepend ``padding`` positions of padding."""
    query, key, value = (F.pad(part, (0, 0, padding, 0)) for part in parts[:3])
    log_input = F.pad(parts.log_input, (padding, 0), value=-math.inf)
    return Parts(query, key, value, log_input, F.pad(parts.log_forget, (padding, 0)))


def _memories(
    key: Tensor, value: Tensor, source: Tensor, total: Tensor, largest: Tensor, empty: float
) -> Memory:
    """Return the memory before each chunk, as `Memory` with an axis of chunks after the heads.

    Weights are computed for all pairs of chunks: with 64 positions a chunk, that is less work than
    the rest up to windows of tens of thousands. The log weight of two chunks is a sum over the
    chunks between them; a difference of cumulative sums would lose digits.

    Args:
        key, value: (B, heads, chunks, C, d_k) and (…, d_v).
        source: a_j within each chunk, (B, heads, chunks, C).
        total: sum of each chunk's log forget gates, (B, heads, chunks).
        largest: maximum of ``source`` in each chunk, (B, heads, chunks, 1).
    """
    chunks = total.shape[-1]
    largest = largest.clamp(min=empty)  # -inf in a chunk of padding
    key = key * torch.exp(source - largest)[..., None].to(key.dtype)
    c, n = key.transpose(-2, -1) @ value, key.sum(dim=-2)
    earlier = torch.ones(chunks, chunks, dtype=torch.bool, device=key.device).tril(-1)
    before = F.pad(total[..., :-1], (1, 0))[..., None].expand(*total.shape, chunks)
    log_weight = before.tril(-1).cumsum(dim=-2) + largest.transpose(-2, -1)
    log_weight = log_weight.masked_fill(~earlier, -math.inf)
    m = _largest(log_weight, empty)
    weight = torch.exp(log_weight - m).to(c.dtype)
    c = (weight @ c.flatten(-2)).view_as(c)
    return Memory(c, weight @ n.to(c.dtype), m)


def _largest(log_weight: Tensor, empty: float) -> Tensor:
    """Return the stabiliser over the last axis, whose size becomes 1."""
    return log_weight.detach().amax(dim=-1, keepdim=True).clamp(min=empty)


def _normalised(read: Tensor, normaliser: Tensor, log_floor: Tensor, eps: float) -> Tensor:
    """Divide reads (…, d_v) by normalisers (…,), but by no less than exp(``log_floor``)."""
    scale = torch.maximum(normaliser.abs(), torch.exp(log_floor)) + eps
    return read * scale.reciprocal()[..., None].to(read.dtype)


def _within(
    query: Tensor, key: Tensor, value: Tensor, source: Tensor, largest: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the reads (…, C, d_v) and normalisers (…, C) that positions of a chunk contribute."""
    out: tuple[Tensor, Tensor] = _Within.apply(  # type: ignore[no-untyped-call]
        query, key, value, source, largest
    )
    return out


class _Within(torch.autograd.Function):
    """A custom backward pass, because autograd's passes over the arrays of pairs several times as
    often."""

    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, value: Tensor, source: Tensor, largest: Tensor
    ) -> tuple[Tensor, Tensor]:
        # The clamp only affects j > t, which tril clears. Far faster than filling with -inf.
        weight = source[..., None, :] - largest[..., :, None]
        weight = weight.clamp_(max=0).exp_().tril_().to(query.dtype)
        mixing = (query @ key.transpose(-2, -1)).mul_(weight)
        ctx.save_for_backward(query, key, value, weight, mixing)
        return mixing @ value, mixing.sum(dim=-1, dtype=source.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        read_grad, normaliser_grad = grads
        query, key, value, weight, mixing = ctx.saved_tensors
        grad = read_grad @ value.transpose(-2, -1)
        grad.add_(normaliser_grad[..., None]).mul_(weight)
        key_grad = grad.transpose(-2, -1) @ query
        return (
            grad @ key,
            key_grad,
            mixing.transpose(-2, -1) @ read_grad,
            # Equal to the sum over t of grad · (query · key).
            (key_grad * key).sum(dim=-1, dtype=normaliser_grad.dtype),
            None,
        )
