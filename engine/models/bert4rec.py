"""BERT4Rec: Sun et al., Sequential Recommendation with Bidirectional Encoder, CIKM 2019."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine import spec
from engine.models.base import MaskedModel, OutputLayer
from engine.models.dropout import Dropout
from engine.models.positions import last_positions
from engine.models.transformer import (
    TransformerLayer,
    as_mask,
    initialise,
    run_layers,
)


class BERT4Rec(MaskedModel):
    """A bidirectional Transformer that fills in masked items.

    `transform` is the head (Sun et al. 2019, eq. 7, with a LayerNorm as in BERT); select the masked
    positions before it.
    """

    def __init__(self, architecture: spec.BERT4Rec, num_items: int, length: int) -> None:
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
