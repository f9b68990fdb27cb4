"""The interface between sequence models and their training and evaluation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class OutputLayer:
    """The parameters that turn states into logits, accessible so that a loss may go in chunks."""

    weight: Tensor
    """(V + 1, d); row 0 is padding."""
    bias: Tensor | None = None
    """(V + 1,)."""
    soft_cap: float | None = None
    """Logits are kept within ± this, smoothly: cap · tanh(logit / cap)."""

    def logits(self, states: Tensor) -> Tensor:
        """Return the logits (..., V + 1) of states (..., d)."""
        logits = nn.functional.linear(states, self.weight, self.bias)
        if self.soft_cap is None:
            return logits
        return self.soft_cap * torch.tanh(logits / self.soft_cap)


class SequenceModel(nn.Module, ABC):
    """Scores every item as the next one of a history.

    Items are numbered 1…V, 0 is padding. Histories are right-aligned: padding comes first, the
    most recent item last. Outputs at items don't depend on padding, and outputs and gradients are
    finite everywhere, at padding and in rows of padding only: there a causal model predicts the
    first item of a history.

    ``hidden``, ``transform`` and ``output_layer`` are separate so that the output layer, most of
    the work of a small model over a large catalogue, is applied at targets only, and in chunks.

    Attributes:
        causal: whether the output at a position depends on no later position.
        num_items: V, the number of items, without padding.
        length: L, the most recent items that the model sees.
    """

    causal: bool
    num_items: int
    length: int

    @abstractmethod
    def hidden(self, items: Tensor, *, last_only: bool = False) -> Tensor:
        """Return the last layer's states (B, W, d) for int64 items (B, W), right-aligned.

        Args:
            last_only: return only the last position, (B, 1, d), for a fraction of the work.
        """

    def transform(self, states: Tensor) -> Tensor:
        """Transform states (..., d) before the output layer; by default, not at all."""
        return states

    @abstractmethod
    def output_layer(self) -> OutputLayer:
        """Return the output layer, with the current weights."""

    def logits(self, states: Tensor) -> Tensor:
        """Return the logits (..., V + 1) of states (..., d); column 0 is padding."""
        return self.output_layer().logits(self.transform(states))

    def query(self, items: Tensor) -> Tensor:
        """Return the states (B, d) that predict the next item of int64 histories (B, W), W ≤ L."""
        return self.hidden(items, last_only=True)[:, -1]
