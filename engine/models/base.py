"""What training and evaluation ask of a sequence model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class OutputLayer:
    """What turns states into scores, open so that a loss may go over the catalogue in parts."""

    weight: Tensor
    """(V + 1, d); row 0 is padding's."""
    bias: Tensor | None = None
    """(V + 1,)."""
    soft_cap: float | None = None
    """Scores are kept within ± this, smoothly: cap · tanh(score / cap)."""

    def scores(self, states: Tensor) -> Tensor:
        """(..., d) → (..., V + 1)."""
        scores = nn.functional.linear(states, self.weight, self.bias)
        if self.soft_cap is None:
            return scores
        return self.soft_cap * torch.tanh(scores / self.soft_cap)


class SequenceModel(nn.Module, ABC):
    """Scores every item as the next one of a history.

    Items are numbered 1…V, 0 is padding. Histories are right-aligned: padding comes first, the
    most recent item last. Outputs at items don't depend on what stands at padding, and outputs and
    gradients are finite everywhere, at padding and in rows of nothing but padding too: there a
    causal model predicts the first item of a history.

    ``hidden``, ``transform`` and ``output_layer`` are separate so that the output layer, most of
    the work of a small model over a large catalogue, is applied only where there is a target, and
    in parts.

    Attributes:
        causal: whether the output at a position depends on no later position.
        num_items: V, the number of items, without padding.
        length: L, the most recent items that the model sees.
    """

    causal: bool
    num_items: int
    length: int

    @abstractmethod
    def hidden(self, items: Tensor) -> Tensor:
        """Return the last layer's states, (B, W, d), for int64 items (B, W), right-aligned."""

    def transform(self, states: Tensor) -> Tensor:
        """What happens to states (..., d) before the output layer; nothing, in most models."""
        return states

    @abstractmethod
    def output_layer(self) -> OutputLayer:
        """The output layer, with the weights of the moment."""

    def logits(self, states: Tensor) -> Tensor:
        """Return the scores (..., V + 1) of states (..., d); column 0 is padding."""
        return self.output_layer().scores(self.transform(states))

    @abstractmethod
    def query(self, items: Tensor) -> Tensor:
        """Return the states (B, d) that score the next item of histories, int64 (B, W), W ≤ L."""
