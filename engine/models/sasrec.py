"""SASRec: Kang & McAuley, Self-Attentive Sequential Recommendation, ICDM 2018."""

from __future__ import annotations

from torch import Tensor, nn

from engine import spec
from engine.models.base import OutputLayer, SequenceModel
from engine.models.dropout import Dropout
from engine.models.positions import last_positions
from engine.models.transformer import (
    TransformerLayer,
    causal_mask,
    initialise,
    run_layers,
)


class SASRec(SequenceModel):
    """A causal Transformer over the items of a history.

    Positions are counted from the right: the most recent item always has the last one. The output
    layer is tied to the item embeddings, or has weights of its own and a bias.
    """

    causal = True

    def __init__(self, architecture: spec.SASRec, num_items: int, length: int) -> None:
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
