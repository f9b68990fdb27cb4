"""SASRec: Kang & McAuley, Self-Attentive Sequential Recommendation, ICDM 2018."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from engine.models.base import OutputLayer, SequenceModel
from engine.models.definition import Definition
from engine.models.layers.dropout import Dropout
from engine.models.layers.positions import last_positions
from engine.models.layers.transformer import (
    TransformerLayer,
    TransformerSettings,
    causal_mask,
    initialise,
    run_layers,
)


class SASRecSettings(TransformerSettings):
    """The settings of SASRec."""


class SASRec(SequenceModel):
    """A causal Transformer over the items of a history.

    Positions are counted from the right: the most recent item always has the last one. The output
    layer is tied to the item embeddings, or has weights of its own and a bias.
    """

    causal = True

    def __init__(self, architecture: SASRecSettings, num_items: int, length: int) -> None:
        super().__init__()
        self.num_items = num_items
        self.length = length
        self.architecture = architecture
        dim = architecture.dim
        # Row 0 is trained as the start of a history; no item attends to it.
        self.items = nn.Embedding(num_items + 1, dim)
        learned = architecture.positions == "learned"
        self.positions = nn.Embedding(length, dim) if learned else None
        self.dropout = Dropout(architecture.dropout)
        self.layers = nn.ModuleList(
            TransformerLayer(dim, architecture.heads, architecture.dropout, architecture.norm)
            for _ in range(architecture.layers)
        )
        self.final_norm = nn.LayerNorm(dim) if architecture.final_norm else nn.Identity()
        self.output = None if architecture.tied else nn.Linear(dim, num_items + 1)
        self.apply(initialise)

    def hidden(self, items: Tensor, *, last_only: bool = False) -> Tensor:
        x: Tensor = self.items(items)
        if self.positions is not None:
            x = x + last_positions(self.positions, items.shape[1])
        mask, positions = causal_mask(items > 0), self.architecture.positions
        x = run_layers(self.layers, self.dropout(x), mask, positions, last_only=last_only)
        out: Tensor = self.final_norm(x)
        return out

    def output_layer(self) -> OutputLayer:
        if self.output is None:
            return OutputLayer(self.items.weight)
        return OutputLayer(self.output.weight, self.output.bias)


PROFILES: Mapping[str, Mapping[str, Any]] = {
    "reference": {
        "architecture": {"dropout": 0.3, "norm": "pre"},
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
        "architecture": {"dropout": 0.2, "norm": "pre", "final_norm": True, "tied": True},
        "training": {
            "lr": 0.001,
            "batch_size": 128,
            "label_smoothing": 0.1,
            "ema": 0.999,
            "epochs": 150,
            "patience": 15,
        },
        "sizes": {
            "small": {
                "architecture": {"dim": 64, "layers": 1, "heads": 2, "dropout": 0.3},
                "training": {"batch_size": 64, "ema": 0.0, "epochs": 300, "patience": 50},
            },
            "medium": {"architecture": {"dim": 128, "layers": 2, "heads": 2}},
            "large": {"architecture": {"dim": 256, "layers": 4, "heads": 8}},
        },
    },
}
"""``tuned`` was chosen on validation at other seeds: docs/training.md says how."""

MODEL = Definition(
    title="SASRec",
    settings=SASRecSettings,
    module=SASRec,
    paper="Kang & McAuley, Self-Attentive Sequential Recommendation, ICDM 2018",
    aliases=("SAS4Rec",),
    profiles=PROFILES,
)
