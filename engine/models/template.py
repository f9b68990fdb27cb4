"""A causal convolution over the items of a history, after NextItNet (Yuan et al., WSDM 2019).

The file that ``seqbench models new`` writes: change what you like.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from engine.models import Definition, ModelSettings, OutputLayer, SequenceModel


class Settings(ModelSettings):
    dim: int = Field(default=64, ge=1, le=8192)
    """Width of the items' embeddings and of all layers."""
    layers: int = Field(default=2, ge=1, le=16)
    kernel: int = Field(default=3, ge=2, le=64)
    """Positions that a layer combines: in the first layer neighbours, then 2, 4, 8, … apart."""
    dropout: float = Field(default=0.2, ge=0, lt=1)


class Layer(nn.Module):
    def __init__(self, settings: Settings, step: int) -> None:
        super().__init__()
        dim = settings.dim
        self.shifts = [step * back for back in range(settings.kernel)]
        self.norm = nn.LayerNorm(dim)
        self.combine = nn.Linear(settings.kernel * dim, dim)
        self.mix = nn.Linear(dim, dim)
        self.dropout = nn.Dropout(settings.dropout)

    def forward(self, x: Tensor, real: Tensor) -> Tensor:
        """Update states (B, W, d) by those of earlier items; ``real``, (B, W, 1), is 0 at padding.

        A state is combined with none that comes later, so that no item sees what it predicts.
        """
        past, width = self.norm(x) * real, x.shape[1]  # a norm has a bias: padding stays 0
        near = [F.pad(past, (0, 0, shift, 0))[:, :width] for shift in self.shifts]
        update: Tensor = self.mix(F.gelu(self.combine(torch.cat(near, dim=-1))))
        updated: Tensor = x + self.dropout(update)
        return updated


class NextItem(SequenceModel):
    """Predicts the next item at every position: needs ``hidden`` and ``output_layer`` only."""

    def __init__(self, settings: Settings, num_items: int, length: int) -> None:
        super().__init__()
        self.items = nn.Embedding(num_items + 1, settings.dim, padding_idx=0)
        self.bias = nn.Parameter(torch.zeros(num_items + 1))
        self.layers = nn.ModuleList(Layer(settings, 2**i) for i in range(settings.layers))
        self.norm = nn.LayerNorm(settings.dim)
        self.dropout = nn.Dropout(settings.dropout)
        nn.init.normal_(self.items.weight[1:], std=0.02)

    def hidden(self, items: Tensor, *, last_only: bool = False) -> Tensor:
        """Return the states (B, W, d) of histories (B, W) that end at the right; 0 is padding."""
        real = (items > 0)[..., None]
        x: Tensor = self.dropout(self.items(items))
        for layer in self.layers:
            x = layer(x, real)
        states: Tensor = self.norm(x[:, -1:] if last_only else x)
        return states

    def output_layer(self) -> OutputLayer:
        return OutputLayer(self.items.weight, self.bias)


MODEL = Definition(
    title="Template",
    paper="Yuan et al., A Simple Convolutional Generative Network, WSDM 2019",
    settings=Settings,
    module=NextItem,
    training={"lr": 0.001, "batch_size": 128, "epochs": 200, "patience": 20},
)
