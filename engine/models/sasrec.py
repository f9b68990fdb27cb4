"""SASRec: Kang & McAuley, Self-Attentive Sequential Recommendation, ICDM 2018."""

from __future__ import annotations

from torch import Tensor, nn

from engine import spec
from engine.models.base import OutputLayer, SequenceModel
from engine.models.transformer import (
    TransformerLayer,
    causal_mask,
    initialise,
    last_positions,
    run_layers,
)


class SASRec(SequenceModel):
    """A causal Transformer over the items of a history, with learned positions.

    The output layer has weights of its own and a bias, and there is no norm before it. Positions
    count from the right: the most recent item always stands at the last.
    """

    causal = True

    def __init__(self, architecture: spec.SASRec, num_items: int, length: int) -> None:
        super().__init__()
        self.num_items = num_items
        self.length = length
        dim = architecture.dim
        # Row 0 learns, as the start of a history; it is hidden from every item.
        self.items = nn.Embedding(num_items + 1, dim)
        self.positions = nn.Embedding(length, dim)
        self.dropout = nn.Dropout(architecture.dropout)
        self.layers = nn.ModuleList(
            TransformerLayer(dim, architecture.heads, architecture.dropout, architecture.norm)
            for _ in range(architecture.layers)
        )
        self.output = nn.Linear(dim, num_items + 1)
        self.apply(initialise)

    def hidden(self, items: Tensor) -> Tensor:
        return self._states(items)

    def _states(self, items: Tensor, *, last_only: bool = False) -> Tensor:
        x: Tensor = self.dropout(self.items(items) + last_positions(self.positions, items.shape[1]))
        return run_layers(self.layers, x, causal_mask(items > 0), last_only=last_only)

    def output_layer(self) -> OutputLayer:
        return OutputLayer(self.output.weight, self.output.bias)

    def query(self, items: Tensor) -> Tensor:
        return self._states(items, last_only=True)[:, -1]
