"""Small models with weights large enough that every part of them shows in the output."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from scattered import scatter
from torch import Tensor

from engine import spec
from engine.models.base import SequenceModel
from engine.models.load import load_definition

ITEMS = 37
LENGTH = 12

ARCHITECTURES: dict[str, spec.Architecture] = {
    "sasrec-pre": spec.Architecture(model="sasrec", dim=16, layers=2, heads=2, norm="pre"),
    "sasrec-post": spec.Architecture(model="sasrec", dim=16, layers=1, heads=4, norm="post"),
    "bert4rec-pre": spec.Architecture(model="bert4rec", dim=16, layers=2, heads=2, norm="pre"),
    "bert4rec-post": spec.Architecture(model="bert4rec", dim=16, layers=1, heads=4, norm="post"),
    "sasrec-rope": spec.Architecture(
        model="sasrec",
        dim=16,
        layers=2,
        heads=2,
        norm="pre",
        final_norm=True,
        positions="rope",
        tied=True,
    ),
    "sasrec-alibi": spec.Architecture(
        model="sasrec", dim=16, layers=2, heads=2, norm="pre", positions="alibi"
    ),
    "bert4rec-rope": spec.Architecture(
        model="bert4rec",
        dim=16,
        layers=2,
        heads=2,
        norm="pre",
        final_norm=True,
        positions="rope",
        tied=True,
    ),
    "bert4rec-alibi": spec.Architecture(
        model="bert4rec", dim=16, layers=2, heads=2, norm="pre", positions="alibi"
    ),
    "xlstm": spec.Architecture(model="xlstm", dim=16, layers=2, heads=2, dropout=0.2),
}

Make = Callable[..., SequenceModel]


@pytest.fixture
def make() -> Make:
    """Build a model by its name above, in float64 and evaluation mode unless told otherwise."""

    def made(name: str, dtype: torch.dtype = torch.float64) -> SequenceModel:
        model = (
            load_definition(ARCHITECTURES[name].model)
            .build(ARCHITECTURES[name].settings, ITEMS, LENGTH)
            .to(dtype)
        )
        scatter(model)
        return model.eval()

    return made


@pytest.fixture
def histories() -> Tensor:
    """int64 (5, LENGTH): from full to a single item to nothing, right-aligned."""
    generator = torch.Generator().manual_seed(3)
    items = torch.randint(1, ITEMS + 1, (5, LENGTH), generator=generator)
    for row, padding in enumerate((0, 1, 5, LENGTH - 1, LENGTH)):
        items[row, :padding] = 0
    return items
