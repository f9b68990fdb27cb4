"""The Transformer layer that SASRec and BERT4Rec share."""

from __future__ import annotations

import math
from threading import Lock
from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import Field, model_validator
from torch import Tensor, nn

from engine.models.definition import ModelSettings
from engine.models.layers.dropout import Dropout
from engine.models.layers.positions import distance_biases, rotate, rotation

SHORT = 512
"""Up to this many positions, bfloat16 attention on a CPU avoids torch's fused kernel, whose
backward pass takes three to five times as long there."""

LONG = 128
"""From this many positions on, attention on a GPU may use cuDNN's kernel: 5 % faster at 200 (H200),
as fast as torch's memory-efficient one at 100, and planned for each shape anew, in one to three
seconds in which a short run could be trained."""

_KERNELS = Lock()
"""Held while a call sets which kernels torch may choose from: the whole process's setting."""

INITIAL_STD = 0.02
"""Standard deviation of initial weights, as in BERT (Devlin et al. 2019) and BERT4Rec."""


class TransformerSettings(ModelSettings):
    """The settings of SASRec and BERT4Rec."""

    dim: int = Field(ge=1, le=8192)
    """Width of the model."""
    layers: int = Field(ge=1, le=128)
    """Number of layers."""
    heads: int = Field(ge=1, le=128)
    """Number of heads."""
    dropout: float = Field(default=0.2, ge=0, lt=1)
    """Share of features that are dropped in training."""
    norm: Literal["pre", "post"] = "post"
    """Norms before each part of a Transformer layer (pre), or after it (post)."""
    final_norm: bool = False
    """A LayerNorm after the last layer, as pre-norm Transformers have."""
    positions: Literal["learned", "rope", "alibi"] = "learned"
    """Learned embeddings, rotary positions (Su et al. 2021) or linear biases (Press et al.
    2022)."""
    tied: bool = False
    """Whether the output layer uses the item embeddings as its weights."""

    @model_validator(mode="after")
    def _heads_divide(self) -> TransformerSettings:
        if self.dim % self.heads:
            raise ValueError(f"dim ({self.dim}) must be a multiple of heads ({self.heads})")
        if self.positions == "rope" and self.dim // self.heads % 2:
            raise ValueError(
                f"with positions: rope, dim / heads ({self.dim // self.heads}) must be even"
            )
        return self


class TransformerLayer(nn.Module):
    """Multi-head self-attention and a feed-forward of width 4d, each with a residual connection.

    Vaswani et al. 2017, sec. 3, with GELU in place of ReLU (Sun et al. 2019, eq. 4), and the norms
    before each part (``pre``, Xiong et al. 2020) or after its residual sum (``post``).

    Dropout is applied to the output of each part, not to attention weights, which torch's fused
    attention on a CPU doesn't support.
    """

    def __init__(self, dim: int, heads: int, dropout: float, norm: Literal["pre", "post"]) -> None:
        super().__init__()
        self.heads = heads
        self.pre_norm = norm == "pre"
        self.attention_norm = nn.LayerNorm(dim)
        self.query_key_value = nn.Linear(dim, 3 * dim)
        self.attention_output = nn.Linear(dim, dim)
        self.feed_forward_norm = nn.LayerNorm(dim)
        self.feed_forward_in = nn.Linear(dim, 4 * dim)
        self.feed_forward_out = nn.Linear(4 * dim, dim)
        self.dropout = Dropout(dropout)

    def reset_matrices(self) -> None:
        """Initialise the matrices by Glorot & Bengio 2010, eq. 16: at small widths, a standard
        deviation of 0.02 lets almost no signal through a layer, and training starts slowly.
        """
        for module in self.children():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)

    def forward(
        self, x: Tensor, mask: Tensor, angles: Tensor | None = None, *, last_only: bool = False
    ) -> Tensor:
        """Apply the layer to (B, W, d).

        Args:
            mask: as `attention` takes it.
            angles: from `rotation`, with rotary positions.
            last_only: return only the last position, (B, 1, d), for a fraction of the work.
        """
        kept = x[:, -1:] if last_only else x
        if self.pre_norm:
            x = kept + self._attend(self.attention_norm(x), mask, angles, last_only)
            return x + self._feed_forward(self.feed_forward_norm(x))
        x = self.attention_norm(kept + self._attend(x, mask, angles, last_only))
        out: Tensor = self.feed_forward_norm(x + self._feed_forward(x))
        return out

    def _attend(self, x: Tensor, mask: Tensor, angles: Tensor | None, last_only: bool) -> Tensor:
        if last_only:
            query, key, value = self._project_for_last(x)
            mask = mask[..., -1:, :]
        else:
            packed = self.query_key_value(x).unflatten(-1, (3, self.heads, -1))
            query, key, value = packed.permute(2, 0, 3, 1, 4)
        if angles is not None:
            query, key = rotate(query, angles[:, -query.shape[2] :]), rotate(key, angles)
        mixed = attention(query, key, value, mask)
        out: Tensor = self.dropout(self.attention_output(mixed.transpose(1, 2).flatten(2)))
        return out

    def _project_for_last(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the last position's query, (B, heads, 1, d / heads), and all keys and values."""
        dim = x.shape[-1]
        weight, bias = self.query_key_value.weight, self.query_key_value.bias
        query = F.linear(x[:, -1:], weight[:dim], bias[:dim])
        key, value = F.linear(x, weight[dim:], bias[dim:]).chunk(2, dim=-1)
        return self._by_head(query), self._by_head(key), self._by_head(value)

    def _by_head(self, x: Tensor) -> Tensor:
        """Split (B, W, d) into heads: (B, heads, W, d / heads)."""
        return x.reshape(*x.shape[:-1], self.heads, -1).transpose(1, 2)

    def _feed_forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.dropout(self.feed_forward_out(F.gelu(self.feed_forward_in(x))))
        return out


def run_layers(
    layers: nn.ModuleList, x: Tensor, mask: Tensor, positions: str, *, last_only: bool
) -> Tensor:
    """Apply all layers to (B, W, d).

    Args:
        mask: as `attention` takes it.
        positions: as in `TransformerSettings`; learned ones are part of ``x``.
        last_only: return only the last position, (B, 1, d).
    """
    width, dim = x.shape[1:]
    first = layers[0]
    assert isinstance(first, TransformerLayer)
    angles = rotation(width, dim // first.heads, x.device) if positions == "rope" else None
    if positions == "alibi":
        mask = mask + distance_biases(width, first.heads, x.device)
    for number, layer in enumerate(layers, 1):
        x = layer(x, mask, angles, last_only=last_only and number == len(layers))
    return x


def initialise(module: nn.Module) -> None:
    """Initialise a module's weights, for use with `nn.Module.apply`.

    As in BERT: normal, truncated at two standard deviations of 0.02, and zero biases. The matrices
    of a `TransformerLayer` differ: see `TransformerLayer.reset_matrices`.
    """
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.trunc_normal_(module.weight, std=INITIAL_STD, a=-2 * INITIAL_STD, b=2 * INITIAL_STD)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)
    if isinstance(module, TransformerLayer):  # visited after the matrices it holds
        module.reset_matrices()


def attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    """Scaled dot-product attention (Vaswani et al. 2017, eq. 1).

    Args:
        query, key, value: (B, heads, W, d / heads).
        mask: from `as_mask`, broadcastable to (B, heads, queries, keys); added to the scores.
    """
    mask = mask.to(query.dtype)
    if query.device.type == "cuda" and not torch.compiler.is_compiling():
        return attention_on_gpu(query, key, value, mask)
    short = query.shape[-2] <= SHORT
    if query.device.type == "cpu" and query.dtype == torch.bfloat16 and short:
        scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-2, -1)
        mixed: Tensor = (scores + mask).softmax(dim=-1) @ value
        return mixed
    return F.scaled_dot_product_attention(query, key, value, attn_mask=mask)


def attention_on_gpu(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    """As `attention`, by a kernel that is ready at once if there are fewer keys than `LONG`."""
    kernels = torch.backends.cuda
    with _KERNELS:
        before = kernels.cudnn_sdp_enabled()  # type: ignore[no-untyped-call]
        kernels.enable_cudnn_sdp(before and key.shape[-2] >= LONG)
        try:
            return F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        finally:
            kernels.enable_cudnn_sdp(before)


def as_mask(allowed: Tensor) -> Tensor:
    """Turn a bool tensor into an additive mask: 0 where attending is allowed, -inf elsewhere."""
    return torch.zeros(allowed.shape, device=allowed.device).masked_fill_(~allowed, -math.inf)


def causal_mask(real: Tensor) -> Tensor:
    """Return the mask (B, 1, W, W) of a causal model.

    Every position attends to the items before it and to itself, so that softmax always has
    something to attend to.

    Args:
        real: bool (B, W), false at padding.
    """
    width = real.shape[1]
    before = torch.ones(width, width, dtype=torch.bool, device=real.device).tril(-1)
    itself = torch.eye(width, dtype=torch.bool, device=real.device)
    return as_mask((real[:, None, :] & before) | itself)[:, None]
