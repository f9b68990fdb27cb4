"""Models that are each broken in one way, as changes of the template, for the checks."""

from __future__ import annotations

import random

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.models import Definition, OutputLayer, OwnLossModel
from engine.models.template import MODEL, NextItem, Settings


class Peeks(NextItem):
    """States are mixed with those of the next position."""

    def hidden(self, items: Tensor, *, last_only: bool = False) -> Tensor:
        states = super().hidden(items)
        states = states + F.pad(states, (0, 0, 0, 1))[:, 1:]
        return states[:, -1:] if last_only else states


class PeeksInTraining(NextItem):
    """States have the mean of the window in them, in training only."""

    def hidden(self, items: Tensor, *, last_only: bool = False) -> Tensor:
        states = super().hidden(items, last_only=last_only)
        if not self.training:
            return states
        return states + (self.items(items) * (items > 0)[..., None]).mean(dim=1, keepdim=True)


class Late(NextItem):
    """The state at a position is that of the one before."""

    def hidden(self, items: Tensor, *, last_only: bool = False) -> Tensor:
        states = F.pad(super().hidden(items), (0, 0, 1, 0))[:, :-1]
        return states[:, -1:] if last_only else states


class Leaks(NextItem):
    """Padding is an item like others."""

    def __init__(self, settings: Settings, num_items: int, length: int) -> None:
        super().__init__(settings, num_items, length)
        self.items = nn.Embedding(num_items + 1, settings.dim)

    def hidden(self, items: Tensor, *, last_only: bool = False) -> Tensor:
        mean = self.items(items).cumsum(dim=1) / torch.arange(1, items.shape[1] + 1)[:, None]
        states = super().hidden(items) + mean
        return states[:, -1:] if last_only else states


class SharedPadding(NextItem):
    """Trusts that padding's embedding is 0, which scores with the same weights train."""

    def hidden(self, items: Tensor, *, last_only: bool = False) -> Tensor:
        states = super().hidden(items) + self.items(items).cumsum(dim=1)
        return states[:, -1:] if last_only else states


class Batched(NextItem):
    """Normalises over the batch, and so in training over later positions, too."""

    def __init__(self, settings: Settings, num_items: int, length: int) -> None:
        super().__init__(settings, num_items, length)
        self.over_batch = nn.BatchNorm1d(settings.dim)

    def hidden(self, items: Tensor, *, last_only: bool = False) -> Tensor:
        states = super().hidden(items, last_only=last_only)
        return self.over_batch(states.transpose(1, 2)).transpose(1, 2)


class Infinite(NextItem):
    """Divides by the number of items, of which an empty history has none."""

    def hidden(self, items: Tensor, *, last_only: bool = False) -> Tensor:
        share = 1 / (items > 0).sum(dim=1)[:, None, None]
        return super().hidden(items, last_only=last_only) * share


class NanGradient(NextItem):
    """Takes the root of what is 0 at padding: its gradient is NaN."""

    def __init__(self, settings: Settings, num_items: int, length: int) -> None:
        super().__init__(settings, num_items, length)
        self.items = nn.Embedding(num_items + 1, settings.dim)

    def hidden(self, items: Tensor, *, last_only: bool = False) -> Tensor:
        real = (items > 0)[..., None]
        states = (
            super().hidden(items)
            + (self.items(items) * real).square().sum(dim=2, keepdim=True).sqrt()
        )
        return states[:, -1:] if last_only else states


class Draws(NextItem):
    """Draws its weights from Python's generator."""

    def __init__(self, settings: Settings, num_items: int, length: int) -> None:
        super().__init__(settings, num_items, length)
        self.bias = nn.Parameter(torch.full((num_items + 1,), random.random()))


class Counts(NextItem):
    """Counts its updates in an attribute that no checkpoint has."""

    def __init__(self, settings: Settings, num_items: int, length: int) -> None:
        super().__init__(settings, num_items, length)
        self.updates = 0

    def hidden(self, items: Tensor, *, last_only: bool = False) -> Tensor:
        self.updates += self.training
        return super().hidden(items, last_only=last_only) / (1 + self.updates / 10)


class Ignores(NextItem):
    """Treats a history as a set."""

    def hidden(self, items: Tensor, *, last_only: bool = False) -> Tensor:
        real = (items > 0)[..., None]
        states = (self.items(items) * real).cumsum(dim=1) / real.cumsum(dim=1).clamp(min=1)
        return states[:, -1:] if last_only else states


class Frozen(NextItem):
    """Learns nothing but a bias."""

    def hidden(self, items: Tensor, *, last_only: bool = False) -> Tensor:
        return torch.zeros_like(super().hidden(items, last_only=last_only))


class First(NextItem):
    """Returns the first position where the last is asked for."""

    def hidden(self, items: Tensor, *, last_only: bool = False) -> Tensor:
        states = super().hidden(items)
        return states[:, :1] if last_only else states


class Own(OwnLossModel):
    """The template with a loss of its own, whose targets are so many items after the input."""

    ahead = 1

    def __init__(self, settings: Settings, num_items: int, length: int) -> None:
        super().__init__()
        self.inner = NextItem(settings, num_items, length)

    def scores(self, items: Tensor, times: Tensor | None = None) -> Tensor:
        return self.inner.scores(items)

    def loss(self, items: Tensor) -> tuple[Tensor, Tensor]:
        inputs, targets = items[:, : items.shape[1] - self.ahead], items[:, self.ahead :]
        logits = self.inner.logits(self.inner.hidden(inputs)).flatten(0, 1).float()
        real = ((inputs > 0) & (targets > 0)).flatten()
        losses = F.cross_entropy(logits, targets.flatten(), reduction="none")
        return (losses * real).sum(), real.sum()


class Itself(Own):
    """Is trained to predict its own input."""

    ahead = 0


class TooFar(Own):
    """Is trained to predict the item after the next one."""

    ahead = 2


class Waits(NextItem):
    """Reads a value, which waits for a GPU."""

    def hidden(self, items: Tensor, *, last_only: bool = False) -> Tensor:
        return super().hidden(items, last_only=last_only) * (1 + 0 * items.max().item())


class Raises(NextItem):
    """Raises."""

    def output_layer(self) -> OutputLayer:
        raise ZeroDivisionError("there is no such layer")


def of(module: type, **training: object) -> Definition:
    """The template's definition with another module."""
    return Definition(MODEL.title, MODEL.settings, module, training=MODEL.training | training)
