"""xLSTM-Large: Beck et al., xLSTM 7B, 2025 (arXiv:2503.13427), over items in place of tokens.

Modules carry the names of the published checkpoints, so that their weights load by name.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from pydantic import Field, model_validator
from torch import Tensor, nn

from engine.models.base import OutputLayer, SequenceModel
from engine.models.definition import Definition, ModelSettings
from engine.models.layers.dropout import Dropout
from engine.models.layers.mlstm import (
    Memory,
    Parts,
    empty_memory,
    read_all,
    read_last,
    read_step,
)
from engine.models.layers.norms import RMSNorm
from engine.models.layers.transformer import initialise

FORGET_BIAS = (3.0, 6.0)
"""Initial forget gate bias of the first head and the last, for memories of about 20 and 400 items
(Beck et al. 2024, as in their package)."""


class XLSTMSettings(ModelSettings):
    """The settings of xLSTM-Large (Beck et al. 2025), with its soft caps and eps as
    defaults."""

    dim: int = Field(ge=2, le=8192)
    """Width of the model."""
    layers: int = Field(ge=1, le=128)
    """Number of layers."""
    heads: int = Field(ge=1, le=128)
    """Number of heads."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Share of features that are dropped in training."""
    gate_soft_cap: float = Field(default=15.0, gt=0)
    """Soft cap on the gates."""
    logit_soft_cap: float | None = Field(default=30.0, gt=0)
    """Soft cap on the scores; ``null``: none."""
    norm_eps: float = Field(default=1e-6, gt=0)
    """Epsilon of the norms."""
    input_gate_bias: float = -3.0
    """Initial bias of the input gates. xLSTM 7B has -10, which keeps the gradients of its long
    contexts small; histories of a hundred items are learned better with gates less closed."""
    tied: bool = False
    """Whether the output layer uses the item embeddings as its weights."""

    @model_validator(mode="after")
    def _heads_divide(self) -> XLSTMSettings:
        if self.dim % (2 * self.heads):
            raise ValueError(f"dim ({self.dim}) must be a multiple of 2 × heads ({self.heads})")
        return self


class MultiHeadNorm(nn.Module):
    """A LayerNorm over each head, (…, heads, d_v) → (…, d).

    `forward` doesn't apply ``weight`` (d,): the next projection includes it.
    """

    def __init__(self, dim: int, eps: float) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, x.shape[-1:], eps=self.eps).flatten(-2)


class MLSTMLayer(nn.Module):
    """The matrix-memory LSTM, in chunkwise and recurrent form.

    Padding leaves the memory as it is: its input gate is 0 and its forget gate 1.
    """

    def __init__(self, architecture: XLSTMSettings) -> None:
        super().__init__()
        dim, heads = architecture.dim, architecture.heads
        self.heads = heads
        self.gate_soft_cap = architecture.gate_soft_cap
        self.input_gate_bias = architecture.input_gate_bias
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
        """Initialise the gates: independent of the input, with a memory span for each head."""
        nn.init.zeros_(self.igate_preact.weight)
        nn.init.constant_(self.igate_preact.bias, self.input_gate_bias)
        nn.init.zeros_(self.fgate_preact.weight)
        with torch.no_grad():
            self.fgate_preact.bias.copy_(torch.linspace(*FORGET_BIAS, self.heads))

    def forward(self, x: Tensor, real: Tensor, *, last_only: bool = False) -> Tensor:
        """Apply the layer to all positions (B, W, d).

        Args:
            real: bool (B, W), false at padding.
            last_only: return only the last position, (B, 1, d), for a fraction of the work.
        """
        parts, output_gate = self._parts(x, real, x[:, -1:] if last_only else x)
        if last_only:
            memory = read_last(parts, -self.gate_soft_cap, self.eps)
        else:
            memory = read_all(parts, -self.gate_soft_cap, self.eps)
        return self._output(output_gate, memory.transpose(1, 2))

    def step(self, x: Tensor, real: Tensor, before: Memory | None) -> tuple[Tensor, Memory]:
        """Apply the layer to the next position (B, d); return its output (B, d) and the new memory.

        Args:
            real: bool (B,), false at padding.
            before: the memory before the position; ``None`` for an empty one.
        """
        parts, output_gate = self._parts(x[:, None], real[:, None], x[:, None])
        parts = Parts(*(part.squeeze(2) for part in parts))
        if before is None:
            # No log input gate is below the negative cap, so that the first item replaces this
            # stabiliser.
            before = empty_memory(parts.key, parts.value, -self.gate_soft_cap)
        memory, after = read_step(parts, before, self.eps)
        return self._output(output_gate.squeeze(1), memory), after

    def _parts(self, x: Tensor, real: Tensor, queried: Tensor) -> tuple[Parts, Tensor]:
        """Project positions (B, W, d) to keys, values and gates, and the ``queried`` ones to
        queries and output gates (before the sigmoid)."""
        scaled = self.q.weight * (self.q.out_features // self.heads) ** -0.5
        writes = [self.k.weight, self.v.weight]
        reads = [scaled, self.ogate_preact.weight]
        if queried is x:
            key, value, query, output_gate = _linear(x, writes + reads)
        else:
            (key, value), (query, output_gate) = _linear(x, writes), _linear(queried, reads)
        query, key, value = (
            part.reshape(*part.shape[:2], self.heads, -1).transpose(1, 2).contiguous()
            for part in (query, key, value)
        )
        return Parts(query, key, value, *self._log_gates(x, real)), output_gate

    def _log_gates(self, x: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        """Return the log input and forget gates, (B, heads, W) each, in float32 or better."""
        gates = (self.igate_preact, self.fgate_preact)
        with torch.autocast(x.device.type, enabled=False):
            bias = torch.cat([gate.bias for gate in gates])
            weight = torch.cat([gate.weight for gate in gates])
            preact = F.linear(x.to(weight.dtype), weight, bias)
            capped = soft_cap(preact, self.gate_soft_cap).transpose(1, 2)
        padding = ~real[:, None]
        log_input, log_forget = capped.chunk(2, dim=1)
        return (
            log_input.masked_fill(padding, -math.inf),
            F.logsigmoid(log_forget).masked_fill(padding, 0.0),
        )

    def _output(self, output_gate: Tensor, memory: Tensor) -> Tensor:
        """Gate, normalise and project the cell's output (…, heads, d_v) to (…, d)."""
        gated = torch.sigmoid(output_gate) * self.multihead_norm(memory)
        # The norm's weight scales the columns of a small matrix instead of all of ``gated``.
        return F.linear(gated, self.out_proj.weight * self.multihead_norm.weight)


class FeedForward(nn.Module):
    """A gated feed-forward with SiLU (SwiGLU, Shazeer 2020), (…, d) → (…, d)."""

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
    """An mLSTM layer, then a feed-forward, each with a norm before it and a residual connection."""

    def __init__(self, architecture: XLSTMSettings) -> None:
        super().__init__()
        self.norm_mlstm = RMSNorm(architecture.dim, architecture.norm_eps, narrow=True)
        self.mlstm_layer = MLSTMLayer(architecture)
        self.norm_ffn = RMSNorm(architecture.dim, architecture.norm_eps, narrow=True)
        self.ffn = FeedForward(architecture.dim)
        self.dropout = Dropout(architecture.dropout)

    def forward(self, x: Tensor, real: Tensor, *, last_only: bool = False) -> Tensor:
        """Apply the block; arguments and result as in `MLSTMLayer.forward`."""
        mixed = self.mlstm_layer(self.norm_mlstm(x), real, last_only=last_only)
        x = (x[:, -1:] if last_only else x) + self.dropout(mixed)
        out: Tensor = x + self.dropout(self.ffn(self.norm_ffn(x)))
        return out

    def step(self, x: Tensor, real: Tensor, before: Memory | None) -> tuple[Tensor, Memory]:
        """Apply the block to the next position; as in `MLSTMLayer.step`."""
        mixed, after = self.mlstm_layer.step(self.norm_mlstm(x), real, before)
        x = x + self.dropout(mixed)
        return x + self.dropout(self.ffn(self.norm_ffn(x))), after


class Backbone(nn.Module):
    """All blocks, and the final norm."""

    def __init__(self, architecture: XLSTMSettings) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block(architecture) for _ in range(architecture.layers))
        self.out_norm = RMSNorm(architecture.dim, architecture.norm_eps, narrow=False)

    def forward(self, x: Tensor, real: Tensor, *, last_only: bool = False) -> Tensor:
        """Apply all blocks; arguments and result as in `MLSTMLayer.forward`."""
        for number, block in enumerate(self.blocks, 1):
            x = block(x, real, last_only=last_only and number == len(self.blocks))
        out: Tensor = self.out_norm(x)
        return out

    def step(
        self, x: Tensor, real: Tensor, memories: Sequence[Memory | None]
    ) -> tuple[Tensor, list[Memory]]:
        """Apply all blocks to the next position, each with its memory; as in `MLSTMLayer.step`."""
        after = []
        for block, before in zip(self.blocks, memories, strict=True):
            assert isinstance(block, Block)
            x, memory = block.step(x, real, before)
            after.append(memory)
        return self.out_norm(x), after


class XLSTM(SequenceModel):
    """xLSTM over the items of a history, without position encodings: the memory is recurrent.

    Dropout, absent from xLSTM-Large, is applied to the embeddings and to the output of every
    residual branch.
    """

    causal = True

    def __init__(self, architecture: XLSTMSettings, num_items: int, length: int) -> None:
        super().__init__()
        self.num_items = num_items
        self.length = length
        self.logit_soft_cap = architecture.logit_soft_cap
        # Row 0 is trained as the start of a history; it never enters the memory.
        self.embedding = nn.Embedding(num_items + 1, architecture.dim)
        self.dropout = Dropout(architecture.dropout)
        self.backbone = Backbone(architecture)
        self.lm_head = (
            None if architecture.tied else nn.Linear(architecture.dim, num_items + 1, bias=False)
        )
        self.apply(_initialise)

    def hidden(self, items: Tensor, *, last_only: bool = False) -> Tensor:
        x = self.dropout(self.embedding(items))
        out: Tensor = self.backbone(x, items > 0, last_only=last_only)
        return out

    def step(
        self, items: Tensor, memories: Sequence[Memory | None] | None = None
    ) -> tuple[Tensor, list[Memory]]:
        """Return the states (B, d) after one more item, int64 (B,), and each block's new memory.

        Equal to the last state of ``hidden``, at a cost that doesn't grow with the history.
        """
        memories = memories or [None] * len(self.backbone.blocks)
        return self.backbone.step(self.dropout(self.embedding(items)), items > 0, memories)

    def output_layer(self) -> OutputLayer:
        layer = self.embedding if self.lm_head is None else self.lm_head
        return OutputLayer(layer.weight, soft_cap=self.logit_soft_cap)


def _initialise(module: nn.Module) -> None:
    initialise(module)
    if isinstance(module, MLSTMLayer):
        module.reset_gates()


def feed_forward_width(dim: int) -> int:
    """Return the width of xLSTM-Large's feed-forward: 8/3·d, rounded up to a multiple of 64."""
    return -(-int(8 / 3 * dim) // 64) * 64


def soft_cap(x: Tensor, cap: float) -> Tensor:
    """Keep values within ±cap, smoothly: cap · tanh(x / cap)."""
    return cap * torch.tanh(x / cap)


def _linear(x: Tensor, weights: list[Tensor]) -> tuple[Tensor, ...]:
    """Multiply (…, d) by matrices (d_i, d), in one product; return (…, d_i) for each."""
    sizes = [len(weight) for weight in weights]
    return torch.split(F.linear(x, torch.cat(weights)), sizes, dim=-1)


PROFILES: Mapping[str, Mapping[str, Any]] = {
    "reference": {
        "architecture": {"dropout": 0.3},
        "training": {"lr": 0.001, "batch_size": 128, "epochs": 300, "patience": 10},
        "sizes": {
            "small": {
                "architecture": {"dim": 64, "layers": 1, "heads": 2},
                "training": {"patience": 20},
            },
            "medium": {"architecture": {"dim": 128, "layers": 2, "heads": 2}},
            "large": {"architecture": {"dim": 256, "layers": 4, "heads": 8}},
        },
    },
    "tuned": {
        "chosen": "by hand",
        "architecture": {"dropout": 0.2, "tied": True},
        "training": {
            "lr": 0.001,
            "batch_size": 128,
            "ema": 0.999,
            "epochs": 150,
            "patience": 15,
        },
        "sizes": {
            "small": {
                "architecture": {
                    "dim": 64,
                    "layers": 1,
                    "heads": 4,
                    "dropout": 0.3,
                    "logit_soft_cap": None,
                },
                "training": {
                    "batch_size": 64,
                    "ema": 0.0,
                    "label_smoothing": 0.1,
                    "epochs": 300,
                    "patience": 60,
                },
            },
            "medium": {"architecture": {"dim": 128, "layers": 2, "heads": 2}},
            "large": {"architecture": {"dim": 256, "layers": 4, "heads": 8}},
        },
    },
}
"""``tuned`` was chosen on validation at other seeds: docs/training.md says how."""

MODEL = Definition(
    title="xLSTM",
    settings=XLSTMSettings,
    module=XLSTM,
    paper="Beck et al., xLSTM 7B (arXiv:2503.13427), and xLSTM, NeurIPS 2024",
    profiles=PROFILES,
)
