"""What GRU4Rec, eSASRec and HSTU owe training and evaluation, whatever is inside them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from scattered import scatter
from torch import Tensor

from engine.models.base import Model, OwnLossModel, TimedModel
from engine.models.builtin import esasrec, gru4rec, hstu
from engine.models.definition import Definition

ITEMS, LENGTH, DAY = 37, 12, 86_400_000_000

CASES: dict[str, tuple[Definition, dict[str, Any], bool]] = {
    "gru4rec": (gru4rec.MODEL, {"dim": 16, "samples": 30, "dropout": 0.2}, False),
    "gru4rec-deep": (
        gru4rec.MODEL,
        {"dim": 16, "layers": 2, "samples": 30, "ranking_loss": "cross-entropy"},
        False,
    ),
    "esasrec": (esasrec.MODEL, {"dim": 16, "layers": 2, "heads": 2}, False),
    "hstu": (hstu.MODEL, {"dim": 16, "layers": 2, "heads": 2, "temperature": 0.5}, True),
    "hstu-without-times": (hstu.MODEL, {"dim": 16, "layers": 1}, False),
}
"""Definition, settings, and whether the data have times."""

Build = Callable[..., Any]


@pytest.fixture
def build() -> Build:
    """Build a case, in float64 and evaluation mode unless told otherwise."""

    def built(name: str, dtype: torch.dtype = torch.float64) -> Any:
        definition, settings, _ = CASES[name]
        model = definition.build(settings, ITEMS, LENGTH).to(dtype)
        scatter(model)
        return model.eval()

    return built


@pytest.fixture
def times(histories: Tensor) -> Tensor:
    """int64 (5, LENGTH): seconds to weeks apart, ascending; 0 at padding."""
    generator = torch.Generator().manual_seed(4)
    gaps = torch.randint(1, 30, histories.shape, generator=generator) ** 4 * 1_000_000
    return (20 * DAY + gaps.cumsum(dim=1)) * (histories > 0)


def states(model: Any, name: str, items: Tensor, times: Tensor, **arguments: bool) -> Tensor:
    if isinstance(model, TimedModel):
        given = times if CASES[name][2] else None
        return model.hidden(items, given, **arguments)
    result: Tensor = model.hidden(items, **arguments)
    return result


def summed_loss(model: Model, name: str, items: Tensor, times: Tensor) -> Tensor:
    if isinstance(model, OwnLossModel):
        return model.loss(items)[0]
    hidden = states(model, name, items, times)
    targets = torch.where(items > 0, 1 + items % ITEMS, 1).flatten()
    logits = model.logits(hidden).flatten(0, 1).float()  # type: ignore[operator]
    return torch.nn.functional.cross_entropy(logits, targets)


@pytest.mark.parametrize("name", CASES)
def test_shapes_and_kind(build: Build, histories: Tensor, times: Tensor, name: str) -> None:
    model = build(name, torch.float32)
    assert states(model, name, histories, times).shape == (5, LENGTH, 16)
    assert model.scores(histories).shape == (5, ITEMS + 1)
    kind = "own" if name.startswith("gru4rec") else "next-item"
    assert CASES[name][0].kind == kind


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("column", [1, 6, 11])
def test_a_later_interaction_moves_no_earlier_output(
    build: Build, histories: Tensor, times: Tensor, name: str, column: int
) -> None:
    model = build(name)
    items, moments = histories.clone(), times.clone()
    real = histories[:, column] > 0
    items[:, column] = torch.where(real, 1 + histories[:, column] % ITEMS, 0)
    moments[:, column] += real * (DAY // 3)
    before = states(model, name, histories, times)
    after = states(model, name, items, moments)
    assert torch.equal(before[:, :column], after[:, :column])
    moved = (before - after).abs().amax(dim=-1)[0]
    assert (moved[column:] > 1e-9).all(), "every later output depends on the item"


@pytest.mark.parametrize("name", CASES)
def test_padding_reaches_no_item(build: Build, histories: Tensor, times: Tensor, name: str) -> None:
    model, real = build(name), histories > 0
    before = states(model, name, histories, times)
    with torch.no_grad():
        model.items.weight[0] *= -3
    after = states(model, name, histories, times + DAY * ~real)
    torch.testing.assert_close(before[real], after[real], rtol=1e-9, atol=1e-12)
    for padding, row in ((1, 1), (5, 2), (11, 3)):
        one = slice(row, row + 1)
        short = states(model, name, histories[one, padding:], times[one, padding:])
        torch.testing.assert_close(short, after[one, padding:], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_rows_are_independent_and_the_last_position_is_the_last(
    build: Build, histories: Tensor, times: Tensor, name: str
) -> None:
    model = build(name)
    together = states(model, name, histories, times)
    for row in range(len(histories)):
        one = slice(row, row + 1)
        alone = states(model, name, histories[one], times[one])
        torch.testing.assert_close(alone, together[one], rtol=1e-9, atol=1e-12)
    last = states(model, name, histories, times, last_only=True)
    torch.testing.assert_close(last, together[:, -1:], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_finite_with_rows_of_padding(
    build: Build, histories: Tensor, times: Tensor, name: str, dtype: torch.dtype
) -> None:
    torch.manual_seed(2)
    model = build(name, torch.float32).train()
    with torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
        value = summed_loss(model, name, histories, times)
        empty = model.scores(torch.zeros_like(histories))
    value.backward()
    assert torch.isfinite(value)
    assert torch.isfinite(empty).all()
    for parameter_name, parameter in model.named_parameters():
        if "time_bias" in parameter_name and not CASES[name][2]:
            continue
        assert torch.isfinite(parameter.grad).all(), parameter_name
        assert parameter.grad.abs().sum() > 0, parameter_name


@pytest.mark.parametrize("name", CASES)
def test_only_padding_has_finite_gradients(build: Build, name: str) -> None:
    model = build(name, torch.float32).train()
    empty = torch.zeros(2, LENGTH, dtype=torch.long)
    summed_loss(model, name, empty, empty).backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


@pytest.mark.parametrize("name", CASES)
def test_autocast_is_close_to_float32(
    build: Build, histories: Tensor, times: Tensor, name: str
) -> None:
    model, real = build(name, torch.float32), histories > 0
    full = states(model, name, histories, times)[real]
    with torch.autocast("cpu", torch.bfloat16):
        half = states(model, name, histories, times)[real].float()
    assert torch.nn.functional.cosine_similarity(full, half, dim=-1).min() > 0.98


@pytest.mark.parametrize("name", CASES)
def test_the_same_seed_gives_the_same_model_and_dropout(
    build: Build, histories: Tensor, times: Tensor, name: str
) -> None:
    def once(seed: int, *, training: bool) -> Tensor:
        torch.manual_seed(5)
        model = build(name, torch.float32).train(training)
        torch.manual_seed(seed)
        return states(model, name, histories, times)

    assert torch.equal(once(6, training=True), once(6, training=True))
    assert not torch.equal(once(6, training=True), once(7, training=True))
    assert torch.equal(once(6, training=False), once(7, training=False))


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("size", ["small", "medium", "large"])
def test_the_reference_can_be_built_without_weights(name: str, size: str) -> None:
    definition = CASES[name][0]
    profile = definition.profiles["reference"]
    settings = profile["architecture"] | profile["sizes"][size]["architecture"]
    with torch.device("meta"):
        model = definition.build(settings, 1000, 50)
    assert model.num_items == 1000
    assert all(parameter.is_meta for parameter in model.parameters())
