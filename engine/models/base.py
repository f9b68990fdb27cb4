"""The interface between models and their training and evaluation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
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
        logits = F.linear(states, self.weight, self.bias)
        if self.soft_cap is None:
            return logits
        return self.soft_cap * torch.tanh(logits / self.soft_cap)


@dataclass(frozen=True)
class TrainingHistories:
    """The training part of every user's history, without anything that is held out."""

    items: Tensor
    """int64 (interactions,): user by user, oldest first; 1…V."""
    offsets: Tensor
    """int64 (users + 1,): user u has ``items[offsets[u]:offsets[u + 1]]``."""
    times: Tensor | None
    """int64 (interactions,): microseconds since 1970; ``None`` if the data have no times."""


class Model(nn.Module, ABC):
    """Scores every item as the next one of a history.

    Items are numbered 1…V, 0 is padding. Histories are right-aligned: padding comes first, the
    most recent item last. A model derives from one of the classes below, which says how it is
    trained. It is called with its settings, V and L, and has nothing to set but its own parts.

    Attributes:
        num_items: V, the number of items, without padding; set when the model has been made.
        length: L, the most recent items that the model sees; set likewise.
    """

    num_items: int
    length: int

    @abstractmethod
    def scores(self, items: Tensor, times: Tensor | None = None) -> Tensor:
        """Return the score of every item as the next one, float (B, V + 1); column 0 is padding.

        Args:
            items: int64 (B, W), W ≤ L, right-aligned.
            times: int64 (B, W), the items' times in microseconds since 1970, 0 at padding; given
                to a `TimedModel` only, and only if the data have times.
        """


class SequenceModel(Model):
    """A model that is trained to predict the next item at every position.

    Outputs at items don't depend on padding, and outputs and gradients are finite everywhere, at
    padding and in rows of padding only: there a causal model predicts the first item of a history.

    ``hidden``, ``transform`` and ``output_layer`` are separate so that the output layer, most of
    the work of a small model over a large catalogue, is applied at targets only, and in chunks.

    Attributes:
        causal: whether the output at a position depends on no later position.
    """

    causal: bool = True

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

    def query(self, items: Tensor, times: Tensor | None = None) -> Tensor:  # noqa: ARG002
        """Return the states (B, d) that predict the next item of int64 histories (B, W), W ≤ L.

        Args:
            times: as in `Model.scores`.
        """
        return self.hidden(items, last_only=True)[:, -1]

    def scores(self, items: Tensor, times: Tensor | None = None) -> Tensor:
        states = self.query(items, times).float()
        # In bfloat16, logits tie.
        with torch.autocast(states.device.type, enabled=False):
            return self.logits(states)


class TimedModel(SequenceModel):
    """A `SequenceModel` that reads the time of each interaction too, where the data have times."""

    @abstractmethod
    def hidden(
        self, items: Tensor, times: Tensor | None = None, *, last_only: bool = False
    ) -> Tensor:
        """Return the states as `SequenceModel.hidden` does.

        Args:
            times: as in `Model.scores`; ``None`` if the data have none.
        """

    def query(self, items: Tensor, times: Tensor | None = None) -> Tensor:
        return self.hidden(items, times, last_only=True)[:, -1]


class MaskedModel(SequenceModel):
    """A model that is trained to fill in masked items; it sees L + 1 positions.

    In evaluation, [MASK] is appended to up to L items and takes the last position. Training windows
    of L + 1 items are right-aligned too, so that masking their last item trains exactly what
    evaluation asks for.

    Attributes:
        mask_token: the number of [MASK] among the inputs, which has no logit.
    """

    causal = False
    mask_token: int

    def query(self, items: Tensor, times: Tensor | None = None) -> Tensor:
        """Append [MASK] to histories (B, W), W ≤ L, and return its states (B, d)."""
        return super().query(F.pad(items, (0, 1), value=self.mask_token), times)


class OwnLossModel(Model):
    """A model that computes the loss of a batch of windows itself."""

    @abstractmethod
    def loss(self, items: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss of a batch, in nats and summed over its targets, and their number.

        Both are scalars on the device of ``items``; reading them here would wait for it.

        Args:
            items: int64 (B, L + 1), right-aligned: each position but the first is the next item of
                those before it. Rows of padding only have no target.
        """

    def prepare(self, train: TrainingHistories) -> None:
        """Set buffers from the training interactions; by default, none.

        Called once before training begins or resumes, on the training device.
        """


class FittedModel(Model):
    """A model that is fitted in one pass over the training interactions, without gradients.

    What it keeps is in buffers (`torch.nn.Module.register_buffer`), which are saved with the run.
    `fit` may give them other shapes than they were registered with. Settings that scoring needs
    belong in buffers too: those that validation chose aren't among the run's.
    """

    def __init__(self) -> None:
        super().__init__()
        self.register_load_state_dict_pre_hook(_take_shapes)  # type: ignore[no-untyped-call]

    @abstractmethod
    def fit(self, train: TrainingHistories) -> None:
        """Set the buffers from the training interactions."""


def _take_shapes(module: nn.Module, state: Mapping[str, Any], prefix: str, *_: object) -> None:
    """Give all buffers of a model the shapes and types of those that are to be loaded into it."""
    for name, old in list(module.named_buffers()):
        if (new := state.get(prefix + name)) is not None:
            owner, leaf = name.rpartition(".")[::2]
            empty = torch.empty_like(new, device=old.device)
            setattr(module.get_submodule(owner), leaf, empty)
