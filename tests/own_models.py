"""Models of each kind, as a user would write them, for the tests."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.models import (
    Definition,
    FittedModel,
    ModelSettings,
    OutputLayer,
    OwnLossModel,
    TimedModel,
    TrainingHistories,
)
from engine.spec import RunSpec


class FollowsSettings(ModelSettings):
    share: float | None = None
    """Of popularity in the scores."""
    reach: int | None = 1


class Follows(FittedModel):
    """How often an item followed the last one, and a share of how often it occurred."""

    def __init__(self, settings: FollowsSettings, num_items: int, length: int) -> None:
        super().__init__()
        self.num_items, self.length, self.settings = num_items, length, settings
        self.register_buffer("pairs", torch.zeros(0, dtype=torch.int64))
        self.register_buffer("counts", torch.zeros(0))
        self.register_buffer("popularity", torch.zeros(num_items + 1))

    def fit(self, train: TrainingHistories) -> None:
        size = self.num_items + 1
        self.popularity = torch.bincount(train.items, minlength=size).float()
        last = torch.zeros(len(train.items), dtype=torch.bool)
        last[train.offsets[1:][train.offsets[1:] > 0] - 1] = True
        before = torch.arange(len(train.items))[~last]
        keys = train.items[before] * size + train.items[before + 1]
        self.pairs, counts = keys.unique(return_counts=True)
        self.counts = counts.float()

    def scores(self, items: Tensor, times: Tensor | None = None) -> Tensor:
        size = self.num_items + 1
        table = torch.zeros(size * size, device=items.device)
        table[self.pairs] = self.counts
        return table.view(size, size)[items[:, -1]] + (self.settings.share or 0) * self.popularity


FITTED = Definition(
    "Follows", FollowsSettings, Follows, grid={"share": (0.0, 0.01, 1.0, 100.0), "reach": (1, 2)}
)


class DimSettings(ModelSettings):
    dim: int = 8
    dropout: float = 0.0


class Bigram(OwnLossModel):
    """A softmax over the next item given the one before it."""

    def __init__(self, settings: DimSettings, num_items: int, length: int) -> None:
        super().__init__()
        self.num_items, self.length = num_items, length
        self.given = nn.Embedding(num_items + 1, settings.dim)
        self.dropout = nn.Dropout(settings.dropout)
        self.next = nn.Linear(settings.dim, num_items + 1)

    def loss(self, items: Tensor) -> tuple[Tensor, Tensor]:
        before, after = items[:, :-1], items[:, 1:]
        real = (before > 0) & (after > 0)
        logits = self.next(self.dropout(self.given(before))).float()
        each = F.cross_entropy(logits.flatten(0, 1), after.flatten(), reduction="none")
        return (each * real.flatten()).sum(), real.sum()

    def scores(self, items: Tensor, times: Tensor | None = None) -> Tensor:
        return self.next(self.given(items[:, -1]))


OWN = Definition("Bigram", DimSettings, Bigram, training={"lr": 0.01})


class Clock(TimedModel):
    """The item at a position and how long before it the one before was."""

    def __init__(self, settings: DimSettings, num_items: int, length: int) -> None:
        super().__init__()
        self.num_items, self.length = num_items, length
        self.item = nn.Embedding(num_items + 1, settings.dim)
        self.pause = nn.Linear(1, settings.dim)
        self.met: list[tuple[Tensor, Tensor | None]] = []

    def hidden(
        self, items: Tensor, times: Tensor | None = None, *, last_only: bool = False
    ) -> Tensor:
        self.met.append((items, times))
        states: Tensor = self.item(items)
        if times is not None:
            passed = torch.where(items > 0, times - times.roll(1, 1), 0)
            states = states + self.pause((passed.abs() + 1).log()[..., None] / 30)
        return states[:, -1:] if last_only else states

    def output_layer(self) -> OutputLayer:
        return OutputLayer(self.item.weight)


TIMED = Definition("Clock", DimSettings, Clock)


def with_model(spec: RunSpec, definition: Definition, **settings: object) -> RunSpec:
    """The run with a model of one's own in the place of its model."""
    model = definition.title.lower()
    architecture = definition.settings(**settings).model_dump() | {"model": model}
    code = {"file": f"{model}.py", "sha256": "0" * 64}
    content = {"model": model, "architecture": architecture, "code": code}
    return RunSpec.model_validate(spec.model_dump() | content)
