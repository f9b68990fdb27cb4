"""BERT4Rec: Sun et al., Sequential Recommendation with Bidirectional Encoder, CIKM 2019."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.models.base import MaskedModel, OutputLayer
from engine.models.definition import Definition
from engine.models.layers.dropout import Dropout
from engine.models.layers.positions import last_positions
from engine.models.layers.transformer import (
    TransformerLayer,
    TransformerSettings,
    as_mask,
    initialise,
    run_layers,
)


class BERT4RecSettings(TransformerSettings):
    """The settings of BERT4Rec."""


class BERT4Rec(MaskedModel):
    """A bidirectional Transformer that fills in masked items.

    `transform` is the head (Sun et al. 2019, eq. 7, with a LayerNorm as in BERT); select the masked
    positions before it.
    """

    def __init__(self, architecture: BERT4RecSettings, num_items: int, length: int) -> None:
        super().__init__()
        self.num_items = num_items
        self.length = length
        self.mask_token = num_items + 1
        self.architecture = architecture
        dim = architecture.dim
        self.items = nn.Embedding(num_items + 2, dim)
        learned = architecture.positions == "learned"
        self.positions = nn.Embedding(length + 1, dim) if learned else None
        self.embedding_norm = nn.LayerNorm(dim)
        self.dropout = Dropout(architecture.dropout)
        self.layers = nn.ModuleList(
            TransformerLayer(dim, architecture.heads, architecture.dropout, architecture.norm)
            for _ in range(architecture.layers)
        )
        self.final_norm = nn.LayerNorm(dim) if architecture.final_norm else nn.Identity()
        self.head = nn.Linear(dim, dim)
        self.head_norm = nn.LayerNorm(dim)
        # The output layer has a bias even if its weights are tied to the embeddings, as in BERT.
        self.output = None if architecture.tied else nn.Linear(dim, num_items + 1)
        self.output_bias = nn.Parameter(torch.zeros(num_items + 1)) if architecture.tied else None
        self.apply(initialise)

    def hidden(self, items: Tensor, *, last_only: bool = False) -> Tensor:
        """Return states (B, W, d) for int64 items (B, W), W ≤ L + 1, [MASK] among them."""
        x: Tensor = self.items(items)
        if self.positions is not None:
            x = x + last_positions(self.positions, items.shape[1])
        x = self.dropout(self.embedding_norm(x))
        real = items > 0
        # A row of padding only attends to all of it: softmax needs something to attend to.
        mask = as_mask(real | ~real.any(dim=1, keepdim=True))[:, None, None, :]
        x = run_layers(self.layers, x, mask, self.architecture.positions, last_only=last_only)
        out: Tensor = self.final_norm(x)
        return out

    def transform(self, states: Tensor) -> Tensor:
        normed: Tensor = self.head_norm(F.gelu(self.head(states)))
        return normed

    def output_layer(self) -> OutputLayer:
        if self.output is None:
            return OutputLayer(self.items.weight[: self.mask_token], self.output_bias)
        return OutputLayer(self.output.weight, self.output.bias)


PROFILES: Mapping[str, Mapping[str, Any]] = {
    "reference": {
        "architecture": {"dropout": 0.2, "norm": "pre"},
        # An epoch masks a fifth of the items, so it takes more of them.
        "training": {
            "mask_ratio": 0.2,
            "lr": 0.001,
            "batch_size": 128,
            "epochs": 500,
            "patience": 20,
        },
        "sizes": {
            "small": {
                "architecture": {"dim": 64, "layers": 1, "heads": 2},
                "training": {"patience": 80},
            },
            "medium": {"architecture": {"dim": 128, "layers": 2, "heads": 2}},
            "large": {"architecture": {"dim": 256, "layers": 4, "heads": 8}},
        },
    },
    "tuned": {
        "chosen": "by hand",
        "architecture": {"dropout": 0.2, "norm": "pre", "final_norm": True, "tied": True},
        "training": {
            "mask_ratio": 0.2,
            "lr": 0.001,
            "batch_size": 128,
            "ema": 0.999,
            "epochs": 300,
            "patience": 25,
        },
        "sizes": {
            "small": {
                "architecture": {"dim": 64, "layers": 1, "heads": 4, "dropout": 0.3},
                "training": {
                    "batch_size": 64,
                    "ema": 0.0,
                    "label_smoothing": 0.1,
                    "epochs": 400,
                    "patience": 100,
                },
            },
            "medium": {"architecture": {"dim": 128, "layers": 2, "heads": 2}},
            "large": {"architecture": {"dim": 256, "layers": 4, "heads": 8}},
        },
    },
}
"""``tuned`` was chosen on validation at other seeds: docs/training.md says how."""

MODEL = Definition(
    title="BERT4Rec",
    settings=BERT4RecSettings,
    module=BERT4Rec,
    paper="Sun et al., BERT4Rec, CIKM 2019",
    profiles=PROFILES,
)
