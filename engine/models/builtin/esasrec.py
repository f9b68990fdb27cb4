"""eSASRec: Tikhonovich et al., Enhancing Transformer-based Recommendations in a Modular Fashion,
RecSys 2025.

SASRec's objective, LiGR layers (Borisyuk et al., From Features to Transformers, 2025) and a softmax
over sampled items. As in the authors' benchmark, positions count from the most recent item, the
output layer is tied to the item embeddings, and no norm follows the last layer.

It differs from theirs in that dropout isn't applied to attention weights, the negatives are shared
by a batch in place of a draw for every position, and the sampled softmax is corrected for the share
of items that is drawn.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pydantic import Field, model_validator
from torch import Tensor, nn

from engine.models.base import OutputLayer, SequenceModel
from engine.models.definition import Definition, ModelSettings
from engine.models.layers.dropout import Dropout
from engine.models.layers.positions import last_positions
from engine.models.layers.transformer import attention, causal_mask, initialise


class ESASRecSettings(ModelSettings):
    dim: int = Field(default=64, ge=1, le=8192)
    """Width of the model."""
    layers: int = Field(default=2, ge=1, le=128)
    """Number of layers."""
    heads: int = Field(default=1, ge=1, le=128)
    """Number of heads."""
    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Share of features that are dropped in training."""
    widening: int = Field(default=4, ge=1, le=16)
    """Width of a layer's feed-forward, in multiples of ``dim``."""

    @model_validator(mode="after")
    def _heads_divide(self) -> ESASRecSettings:
        if self.dim % self.heads:
            raise ValueError(f"dim ({self.dim}) must be a multiple of heads ({self.heads})")
        return self


class FeedForward(nn.Module):
    """A gated feed-forward with SiLU (SwiGLU, Shazeer 2020), (…, d) → (…, d), without biases."""

    def __init__(self, dim: int, width: int, dropout: float) -> None:
        super().__init__()
        self.gate = nn.Linear(dim, width, bias=False)
        self.up = nn.Linear(dim, width, bias=False)
        self.down = nn.Linear(width, dim, bias=False)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.down(self.dropout(F.silu(self.gate(x)) * self.up(x)))
        return out


class LiGRLayer(nn.Module):
    """Attention, then a feed-forward, each with a norm before it and a gated residual connection.

    Borisyuk et al. 2025, sec. 3.2: what a part adds is multiplied by a sigmoid of the layer's input
    to that part.
    """

    def __init__(self, settings: ESASRecSettings) -> None:
        super().__init__()
        dim = settings.dim
        self.heads = settings.heads
        self.attention_norm = nn.LayerNorm(dim)
        self.query = nn.Linear(dim, dim)
        self.key_value = nn.Linear(dim, 2 * dim)
        self.attention_output = nn.Linear(dim, dim)
        self.attention_gate = nn.Linear(dim, dim)
        self.feed_forward_norm = nn.LayerNorm(dim)
        self.feed_forward = FeedForward(dim, settings.widening * dim, settings.dropout)
        self.feed_forward_gate = nn.Linear(dim, dim)
        self.dropout = Dropout(settings.dropout)

    def forward(self, x: Tensor, mask: Tensor, *, last_only: bool = False) -> Tensor:
        """Apply the layer to (B, W, d).

        Args:
            mask: from `causal_mask`.
            last_only: return only the last position, (B, 1, d), for a fraction of the work.
        """
        normed = self.attention_norm(x)
        if last_only:
            x, mask = x[:, -1:], mask[..., -1:, :]
        key, value = self.key_value(normed).chunk(2, dim=-1)
        query = self.query(normed[:, -1:] if last_only else normed)
        query, key, value = (
            part.reshape(*part.shape[:2], self.heads, -1).transpose(1, 2)
            for part in (query, key, value)
        )
        mixed = attention(query, key, value, mask).transpose(1, 2).flatten(2)
        added = self.dropout(self.attention_output(mixed))
        x = x + torch.sigmoid(self.attention_gate(x)) * added
        added = self.dropout(self.feed_forward(self.feed_forward_norm(x)))
        out: Tensor = x + torch.sigmoid(self.feed_forward_gate(x)) * added
        return out


class ESASRec(SequenceModel):
    """A causal Transformer of LiGR layers over the items of a history."""

    def __init__(self, settings: ESASRecSettings, num_items: int, length: int) -> None:
        super().__init__()
        self.num_items = num_items
        self.length = length
        # Row 0 is trained as the start of a history; no item attends to it.
        self.items = nn.Embedding(num_items + 1, settings.dim)
        self.positions = nn.Embedding(length, settings.dim)
        self.dropout = Dropout(settings.dropout)
        self.layers = nn.ModuleList(LiGRLayer(settings) for _ in range(settings.layers))
        self.apply(initialise)
        for parameter in self.layers.parameters():
            if parameter.dim() == 2:
                nn.init.xavier_uniform_(parameter)

    def hidden(self, items: Tensor, *, last_only: bool = False) -> Tensor:
        x: Tensor = self.dropout(self.items(items) + last_positions(self.positions, items.shape[1]))
        mask = causal_mask(items > 0)
        for number, layer in enumerate(self.layers, 1):
            x = layer(x, mask, last_only=last_only and number == len(self.layers))
        return x

    def output_layer(self) -> OutputLayer:
        return OutputLayer(self.items.weight)


MODEL = Definition(
    title="eSASRec",
    paper="Tikhonovich et al., eSASRec, RecSys 2025",
    settings=ESASRecSettings,
    module=ESASRec,
    profiles={
        # The learning rate, negatives and sizes of the authors' benchmark for ML-1M and ML-20M.
        "reference": {
            "architecture": {"dropout": 0.1, "widening": 4},
            "training": {
                "loss": "sampled",
                "negatives": 256,
                "lr": 0.001,
                "batch_size": 128,
                "epochs": 200,
                "patience": 50,
            },
            "sizes": {
                "small": {
                    "architecture": {"dim": 64, "layers": 1, "heads": 1, "dropout": 0.2},
                    "training": {"negatives": 128},
                },
                "medium": {"architecture": {"dim": 64, "layers": 2, "heads": 1}},
                "large": {"architecture": {"dim": 256, "layers": 4, "heads": 8, "dropout": 0.2}},
            },
        },
        # Chosen on validation at seed 1: docs/training.md says how.
        "tuned": {
            "chosen": "by hand",
            "architecture": {"dropout": 0.1, "widening": 4},
            "training": {
                "loss": "sampled",
                "negatives": 2048,
                "lr": 0.002,
                "batch_size": 128,
                "ema": 0.999,
                "epochs": 140,
                "patience": 15,
            },
            "sizes": {
                "small": {
                    "architecture": {"dim": 64, "layers": 1, "heads": 1, "dropout": 0.4},
                    "training": {
                        "negatives": 128,
                        "lr": 0.001,
                        "batch_size": 64,
                        "ema": 0.0,
                        "epochs": 200,
                        "patience": 40,
                    },
                },
                "medium": {"architecture": {"dim": 64, "layers": 2, "heads": 1}},
                "large": {"architecture": {"dim": 256, "layers": 4, "heads": 8, "dropout": 0.2}},
            },
        },
    },
)
