"""What training and evaluation ask of a sequence model."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn


class SequenceModel(nn.Module, ABC):
    """Scores every item as the next one of a history.

    Items are numbered 1…V, 0 is padding. Histories are right-aligned: padding comes first, the
    most recent item last. Outputs at items don't depend on what stands at padding, and outputs and
    gradients are finite everywhere, at padding and in rows of nothing but padding too: there a
    causal model predicts the first item of a history.

    ``hidden`` and ``logits`` are separate so that the output layer, most of the work of a small
    model over a large catalogue, is applied only where there is a target.

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

    @abstractmethod
    def logits(self, hidden: Tensor) -> Tensor:
        """Return the scores (..., V + 1) of states (..., d); column 0 is padding."""

    @abstractmethod
    def query(self, items: Tensor) -> Tensor:
        """Return the states (B, d) that score the next item of histories, int64 (B, W), W ≤ L."""
