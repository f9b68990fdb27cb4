"""xLSTM-Large: Beck et al., xLSTM 7B, 2025 (arXiv:2503.13427), over items in place of tokens.

Modules carry the names of the published checkpoints, so that their weights load by name.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine import spec
from engine.models.base import OutputLayer, SequenceModel
from engine.models.sizes import feed_forward_width
from engine.models.transformer import initialise

INPUT_BIAS = -3.0
"""Input gate bias at first. xLSTM 7B begins at -10, which keeps the gradients of its long contexts
small; histories of a hundred items learn better with gates that are less shut."""

FORGET_BIAS = (3.0, 6.0)
"""Forget gate bias at first, of the first head and the last: they begin with memories of about 20
to 400 items (Beck et al. 2024, as in their package)."""


class Memory(NamedTuple):
    """One mLSTM layer's state after some items, scaled by exp(-m) (Beck et al. 2024, eq. 19-27)."""

    c: Tensor
    """(B, heads, d_k, d_v): the matrix memory."""
    n: Tensor
    """(B, heads, d_k): the normaliser."""
    m: Tensor
    """(B, heads): the stabiliser, a logarithm."""


class MultiHeadNorm(nn.Module):
    """A LayerNorm of every head by itself, with one weight a feature: (…, heads, d_v) → (…, d)."""

    def __init__(self, dim: int, eps: float) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = F.layer_norm(x, x.shape[-1:], eps=self.eps).flatten(-2) * self.weight
        return out


class MLSTMLayer(nn.Module):
    """The matrix-memory LSTM, in its parallel and its recurrent form.

    A position that isn't real (padding) adds nothing to the memory and takes nothing from it: its
    input gate is 0 and its forget gate 1.
    """

    def __init__(self, architecture: spec.XLSTM) -> None:
        super().__init__()
        dim, heads = architecture.dim, architecture.heads
        self.heads = heads
        self.gate_soft_cap = architecture.gate_soft_cap
        self.eps = architecture.norm_eps
        self.q = nn.Linear(dim, dim // 2, bias=False)
        self.k = nn.Linear(dim, dim // 2, bias=False)
        self.v = nn.Linear(dim, dim, bias=False)
        self.ogate_preact = nn.Linear(dim, dim, bias=False)
        self.igate_preact = nn.Linear(dim, heads)
        self.fgate_preact = nn.Linear(dim, heads)
        self.multihead_norm = MultiHeadNorm(dim, architecture.norm_eps)
        self.out_proj = nn.Linear(dim, dim, bias=False)

    def reset_gates(self) -> None:
        """Gates that don't depend on the input at first, with memories of different spans."""
        nn.init.zeros_(self.igate_preact.weight)
        nn.init.constant_(self.igate_preact.bias, INPUT_BIAS)
        nn.init.zeros_(self.fgate_preact.weight)
        with torch.no_grad():
            self.fgate_preact.bias.copy_(torch.linspace(*FORGET_BIAS, self.heads))

    def forward(self, x: Tensor, real: Tensor) -> Tensor:
        """All positions at once: (B, W, d) and bool (B, W) → (B, W, d). Work grows with W².

        Beck et al. 2024, appendix A.3. With F_t the sum of the log forget gates up to t and i_j
        the log input gate, the stabilised log weight of position j at t is

            F_t - F_j + i_j - m_t  =  a_j - M_t,   a_j = i_j - F_j,   M_t = max over j ≤ t of a_j,

        so that one running maximum over (B, heads, W) takes the place of one over W × W. The
        output doesn't depend on the stabiliser, and no gradient goes through it.
        """
        query, key, value = (
            projection(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for projection in (self.q, self.k, self.v)
        )
        log_input, log_forget = self._log_gates(x, real)
        decay = log_forget.cumsum(dim=-1)
        source = log_input - decay
        with torch.no_grad():
            largest = source.cummax(dim=-1).values.clamp(min=-self.gate_soft_cap)
        width = x.shape[1]
        later = torch.ones(width, width, dtype=torch.bool, device=x.device).triu(1)
        log_weight = source[..., None, :] - largest[..., :, None]
        weight = log_weight.masked_fill_(later, -math.inf).exp()
        mixing = (query * key.shape[-1] ** -0.5) @ key.transpose(-2, -1) * weight
        normaliser = mixing.sum(dim=-1, keepdim=True).abs()
        floor = torch.exp(-decay - largest)[..., None]
        memory = mixing @ value / (torch.maximum(normaliser, floor) + self.eps)
        return self._output(x, memory.transpose(1, 2))

    def step(self, x: Tensor, real: Tensor, before: Memory | None) -> tuple[Tensor, Memory]:
        """One position after another: (B, d) and bool (B,) → (B, d), and the memory after it.

        Beck et al. 2024, eq. 19-27, stabilised as in eq. 15; ``None`` is the empty memory.
        """
        query, key, value = (
            projection(x).unflatten(-1, (self.heads, -1)) for projection in (self.q, self.k, self.v)
        )
        if before is None:
            before = self._empty(key, value)
        log_input, log_forget = (
            gate[..., 0] for gate in self._log_gates(x[:, None], real[:, None])
        )
        m = torch.maximum(log_forget + before.m, log_input)
        keep = torch.exp(log_forget + before.m - m)[..., None]
        write = torch.exp(log_input - m)[..., None] * key
        c = keep[..., None] * before.c + write[..., None] * value[..., None, :]
        n = keep * before.n + write
        query = query * key.shape[-1] ** -0.5
        read = (query[..., None, :] @ c).squeeze(-2)
        normaliser = (query * n).sum(dim=-1, keepdim=True).abs()
        floor = torch.exp(-m)[..., None]
        return self._output(x, read / (torch.maximum(normaliser, floor) + self.eps)), Memory(
            c, n, m
        )

    def _log_gates(self, x: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        """Log input and forget gates, (B, heads, W) each, never in less than float32."""
        with torch.autocast(x.device.type, enabled=False):
            log_input = soft_cap(self.igate_preact(x), self.gate_soft_cap)
            log_forget = F.logsigmoid(soft_cap(self.fgate_preact(x), self.gate_soft_cap))
        padding = ~real[..., None]
        log_input = log_input.masked_fill(padding, -math.inf)
        return log_input.transpose(1, 2), log_forget.masked_fill(padding, 0.0).transpose(1, 2)

    def _empty(self, key: Tensor, value: Tensor) -> Memory:
        # No input gate is below the cap, so from the first item on this stabiliser plays no part.
        return Memory(
            c=key.new_zeros(*key.shape, value.shape[-1]),
            n=torch.zeros_like(key),
            m=key.new_full(key.shape[:-1], -self.gate_soft_cap),
        )

    def _output(self, x: Tensor, memory: Tensor) -> Tensor:
        """(…, d) and (…, heads, d_v) → (…, d)."""
        gated = torch.sigmoid(self.ogate_preact(x)) * self.multihead_norm(memory)
        out: Tensor = self.out_proj(gated)
        return out


class FeedForward(nn.Module):
    """A gated feed-forward with SiLU (SwiGLU, Shazeer 2020)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        width = feed_forward_width(dim)
        self.proj_up_gate = nn.Linear(dim, width, bias=False)
        self.proj_up = nn.Linear(dim, width, bias=False)
        self.proj_down = nn.Linear(width, dim, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.proj_down(F.silu(self.proj_up_gate(x)) * self.proj_up(x))
        return out


class Block(nn.Module):
    """The memory, then the feed-forward; each with a norm before it and a residual around it."""

    def __init__(self, architecture: spec.XLSTM) -> None:
        super().__init__()
        self.norm_mlstm = nn.RMSNorm(architecture.dim, eps=architecture.norm_eps)
        self.mlstm_layer = MLSTMLayer(architecture)
        self.norm_ffn = nn.RMSNorm(architecture.dim, eps=architecture.norm_eps)
        self.ffn = FeedForward(architecture.dim)
        self.dropout = nn.Dropout(architecture.dropout)

    def forward(self, x: Tensor, real: Tensor) -> Tensor:
        """(B, W, d) and bool (B, W) → (B, W, d)."""
        x = x + self.dropout(self.mlstm_layer(self.norm_mlstm(x), real))
        out: Tensor = x + self.dropout(self.ffn(self.norm_ffn(x)))
        return out

    def step(self, x: Tensor, real: Tensor, before: Memory | None) -> tuple[Tensor, Memory]:
        """(B, d), bool (B,) and the memory → (B, d) and the memory after it."""
        mixed, after = self.mlstm_layer.step(self.norm_mlstm(x), real, before)
        x = x + self.dropout(mixed)
        return x + self.dropout(self.ffn(self.norm_ffn(x))), after


class Backbone(nn.Module):
    """The blocks and the norm after them."""

    def __init__(self, architecture: spec.XLSTM) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block(architecture) for _ in range(architecture.layers))
        self.out_norm = nn.RMSNorm(architecture.dim, eps=architecture.norm_eps)

    def forward(self, x: Tensor, real: Tensor) -> Tensor:
        """(B, W, d) and bool (B, W) → (B, W, d)."""
        for block in self.blocks:
            x = block(x, real)
        out: Tensor = self.out_norm(x)
        return out

    def step(
        self, x: Tensor, real: Tensor, memories: Sequence[Memory | None]
    ) -> tuple[Tensor, list[Memory]]:
        """(B, d), bool (B,) and each block's memory → (B, d) and the new memories."""
        after = []
        for block, before in zip(self.blocks, memories, strict=True):
            assert isinstance(block, Block)
            x, memory = block.step(x, real, before)
            after.append(memory)
        return self.out_norm(x), after


class XLSTM(SequenceModel):
    """xLSTM over the items of a history. It needs no positions: the memory knows the order.

    Dropout, which xLSTM-Large has none of, falls on the embeddings and on the output of every
    residual branch.
    """

    causal = True

    def __init__(self, architecture: spec.XLSTM, num_items: int, length: int) -> None:
        super().__init__()
        self.num_items = num_items
        self.length = length
        self.logit_soft_cap = architecture.logit_soft_cap
        # Row 0 learns, as the start of a history; it never enters the memory.
        self.embedding = nn.Embedding(num_items + 1, architecture.dim)
        self.dropout = nn.Dropout(architecture.dropout)
        self.backbone = Backbone(architecture)
        self.lm_head = nn.Linear(architecture.dim, num_items + 1, bias=False)
        self.apply(_initialise)

    def hidden(self, items: Tensor) -> Tensor:
        out: Tensor = self.backbone(self.dropout(self.embedding(items)), items > 0)
        return out

    def step(
        self, items: Tensor, memories: Sequence[Memory | None] | None = None
    ) -> tuple[Tensor, list[Memory]]:
        """Take in one more item a row: int64 (B,) → states (B, d), and each block's new memory.

        The same formulas as ``hidden``, at a cost that doesn't grow with the history.
        """
        memories = memories or [None] * len(self.backbone.blocks)
        return self.backbone.step(self.dropout(self.embedding(items)), items > 0, memories)

    def output_layer(self) -> OutputLayer:
        return OutputLayer(self.lm_head.weight, soft_cap=self.logit_soft_cap)

    def query(self, items: Tensor) -> Tensor:
        return self.hidden(items)[:, -1]


def _initialise(module: nn.Module) -> None:
    initialise(module)
    if isinstance(module, MLSTMLayer):
        module.reset_gates()


def soft_cap(x: Tensor, cap: float) -> Tensor:
    """Keep values within ±cap, smoothly: cap · tanh(x / cap)."""
    return cap * torch.tanh(x / cap)
