"""HSTU: Zhai et al., Actions Speak Louder than Words, ICML 2024 (arXiv:2402.17152), as in its
experiments on public data (sec. 4.1.1): items and times only.

It differs from the authors' code where that would look ahead: there, the bias of a query is that of
the time of the *next* item, which isn't known when recommending; here it is that of the query's
own. Positions count from the most recent item, and the negatives of the sampled softmax are shared
by a batch in place of a draw for every position.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pydantic import Field, model_validator
from torch import Tensor, nn

from engine.models.base import OutputLayer, TimedModel
from engine.models.definition import Definition, ModelSettings
from engine.models.layers.dropout import Dropout
from engine.models.layers.lookup import look_up
from engine.models.layers.positions import last_positions
from engine.models.layers.transformer import INITIAL_STD, initialise

BUCKETS = 128
"""The largest bucket of time differences."""

BUCKET_WIDTH = 0.301
"""Of the natural logarithm of a time difference in seconds."""

EPS = 1e-6
"""Of norms."""


class HSTUSettings(ModelSettings):
    dim: int = Field(default=64, ge=1, le=8192)
    """Width of the model."""
    layers: int = Field(default=2, ge=1, le=128)
    """Number of layers."""
    heads: int = Field(default=1, ge=1, le=128)
    """Number of heads."""
    dropout: float = Field(default=0.2, ge=0, lt=1)
    """Share of features that are dropped in training."""
    temperature: float = Field(default=0.05, gt=0)
    """Logits are the cosines of states and item embeddings, divided by it."""
    time_bias: bool = True
    """Whether to use the times of interactions, where the data have times."""

    @model_validator(mode="after")
    def _heads_divide(self) -> HSTUSettings:
        if self.dim % self.heads:
            raise ValueError(f"dim ({self.dim}) must be a multiple of heads ({self.heads})")
        return self


class HSTULayer(nn.Module):
    """Pointwise attention, gated, with a residual connection (Zhai et al. 2024, eq. 1 to 3).

    Attention weights are SiLU(query · key + bias) / L, not a softmax. The norms have no weights, as
    in the authors' code.
    """

    def __init__(self, settings: HSTUSettings, length: int) -> None:
        super().__init__()
        dim = settings.dim
        self.heads = settings.heads
        self.length = length
        self.project = nn.Linear(dim, 4 * dim, bias=False)
        self.position_bias = nn.Embedding(length, 1)
        self.time_bias = nn.Embedding(BUCKETS + 1, 1) if settings.time_bias else None
        self.dropout = Dropout(settings.dropout)
        self.output = nn.Linear(dim, dim)

    def forward(
        self,
        x: Tensor,
        allowed: Tensor,
        distance: Tensor,
        bucket: Tensor | None,
        *,
        last_only: bool = False,
    ) -> Tensor:
        """Apply the layer to (B, W, d).

        Args:
            allowed: bool (B, Q, W), the keys that a query attends to; Q is 1 with ``last_only``,
                W otherwise.
            distance: int64 (Q, W), from a query back to a key in positions; 0 if the key is later.
            bucket: int64 (B, Q, W), from `time_buckets`.
            last_only: return only the last position, (B, 1, d), for a fraction of the work.
        """
        queried = x[:, -1:] if last_only else x
        gate, value, query, key = F.silu(self.project(_norm(x))).chunk(4, dim=-1)
        if last_only:
            gate, query = gate[:, -1:], query[:, -1:]
        value, query, key = (
            part.reshape(*part.shape[:2], self.heads, -1).transpose(1, 2)
            for part in (value, query, key)
        )
        bias = look_up(self.position_bias, distance)[None]
        if self.time_bias is not None and bucket is not None:
            bias = bias + look_up(self.time_bias, bucket)
        weights = F.silu(query @ key.transpose(-2, -1) + bias[:, None]) * allowed[:, None]
        mixed = _norm((weights @ (value / self.length)).transpose(1, 2).flatten(2))
        out: Tensor = queried + self.output(self.dropout(gate * mixed))
        return out


class HSTU(TimedModel):
    """Hierarchical sequential transduction units over the items of a history and their times."""

    def __init__(self, settings: HSTUSettings, num_items: int, length: int) -> None:
        super().__init__()
        self.num_items = num_items
        self.length = length
        self.temperature = settings.temperature
        # Row 0 is trained as the start of a history; no item attends to it.
        self.items = nn.Embedding(num_items + 1, settings.dim)
        self.positions = nn.Embedding(length, settings.dim)
        self.dropout = Dropout(settings.dropout)
        self.layers = nn.ModuleList(HSTULayer(settings, length) for _ in range(settings.layers))
        self.apply(initialise)
        nn.init.xavier_normal_(self.positions.weight)
        for layer in self.layers:
            assert isinstance(layer, HSTULayer)
            nn.init.normal_(layer.project.weight, std=INITIAL_STD)
            nn.init.xavier_uniform_(layer.output.weight)

    def hidden(
        self, items: Tensor, times: Tensor | None = None, *, last_only: bool = False
    ) -> Tensor:
        width, dim = items.shape[1], self.items.embedding_dim
        x = self.items(items) * dim**0.5 + last_positions(self.positions, width)
        x = self.dropout(x)
        place = torch.arange(width, device=items.device)
        apart = place[:, None] - place
        allowed = (items > 0)[:, None, :] & (apart >= 0)
        distance = apart.clamp(min=0)
        bucket = None if times is None else time_buckets(times, times)
        for number, layer in enumerate(self.layers, 1):
            if last_only and number == len(self.layers):
                allowed, distance = allowed[:, -1:], distance[-1:]
                bucket = None if bucket is None else bucket[:, -1:]
                x = layer(x, allowed, distance, bucket, last_only=True)
            else:
                x = layer(x, allowed, distance, bucket)
        out: Tensor = x
        return out

    def transform(self, states: Tensor) -> Tensor:
        return F.normalize(states, dim=-1, eps=EPS)

    def output_layer(self) -> OutputLayer:
        return OutputLayer(F.normalize(self.items.weight, dim=-1, eps=EPS) / self.temperature)


def time_buckets(later: Tensor, earlier: Tensor) -> Tensor:
    """Return the buckets (B, Q, W) of the differences of times, int64 microseconds.

    A bucket is ⌊ln(seconds) / `BUCKET_WIDTH`⌋, with differences below a second counting as one.

    Args:
        later: (B, Q), of queries.
        earlier: (B, W), of keys.
    """
    seconds = (later[:, :, None] - earlier[:, None, :]).abs() // 1_000_000
    return (seconds.clamp(min=1).log() / BUCKET_WIDTH).long().clamp(max=BUCKETS)


def _norm(x: Tensor) -> Tensor:
    return F.layer_norm(x, x.shape[-1:], eps=EPS)


MODEL = Definition(
    title="HSTU",
    paper="Zhai et al., Actions Speak Louder than Words, ICML 2024",
    settings=HSTUSettings,
    module=HSTU,
    profiles={
        # As in the authors' configurations for ML-1M and ML-20M, with widths of powers of two.
        "reference": {
            "architecture": {"dropout": 0.2, "temperature": 0.05},
            "training": {
                "loss": "sampled",
                "negatives": 128,
                "lr": 0.001,
                "batch_size": 128,
                "epochs": 200,
                "patience": 20,
            },
            "sizes": {
                "small": {"architecture": {"dim": 64, "layers": 2, "heads": 1}},
                "medium": {"architecture": {"dim": 64, "layers": 8, "heads": 2}},
                "large": {"architecture": {"dim": 256, "layers": 16, "heads": 8}},
            },
        },
        # Chosen on validation at seed 1: docs/training.md says how.
        "tuned": {
            "chosen": "by hand",
            "architecture": {"dropout": 0.2, "temperature": 0.05},
            "training": {
                "loss": "sampled",
                "negatives": 1024,
                "lr": 0.002,
                "batch_size": 128,
                "ema": 0.999,
                "epochs": 150,
                "patience": 10,
            },
            "sizes": {
                "small": {
                    "architecture": {"dim": 64, "layers": 2, "heads": 1, "dropout": 0.4},
                    "training": {
                        "negatives": 128,
                        "batch_size": 64,
                        "ema": 0.0,
                        "epochs": 200,
                        "patience": 40,
                    },
                },
                "medium": {"architecture": {"dim": 64, "layers": 4, "heads": 2}},
                "large": {"architecture": {"dim": 256, "layers": 16, "heads": 8}},
            },
        },
    },
)
