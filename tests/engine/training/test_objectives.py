"""What the objectives ask, and that fixed shapes ask the same."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from objectives import known_objective

from engine.models.registry import definition_of
from engine.training.objectives import (
    TARGET_MULTIPLE,
    Objective,
    batch_loss,
    mask_items,
    select_targets,
    target_capacity,
)
from engine.training.windows import Histories, Windows, cut_windows

ITEMS = 200


def histories(users: int = 300, longest: int = 90) -> Histories:
    generator = torch.Generator().manual_seed(0)
    lengths = torch.randint(1, longest, (users,), generator=generator)
    ends = lengths.cumsum(0)
    items = torch.randint(1, ITEMS + 1, (int(ends[-1]),), generator=generator, dtype=torch.int32)
    return Histories(items, ends - lengths, ends)


def windows_of(objective: Objective, data: Histories, seed: int = 0) -> Windows:
    generator = torch.Generator().manual_seed(seed)
    windows = cut_windows(data, objective.width, generator, objective.stride)
    return windows.shuffled(generator)


@pytest.mark.parametrize("ratio", [0.05, 0.5])
def test_masking_hides_its_share_and_at_least_one_item(tiny_spec, ratio: float) -> None:
    objective = known_objective(tiny_spec("bert4rec", mask_ratio=ratio))
    data = histories(2000)
    windows = windows_of(objective, data)
    torch.manual_seed(0)
    inputs, targets = mask_items(objective, ITEMS + 1, data.items, windows)
    hidden = targets > 0
    assert torch.equal(hidden, inputs == ITEMS + 1)
    assert hidden.any(dim=1).all()
    whole = (inputs > 0).all(dim=1)
    assert hidden[whole].double().mean() == pytest.approx(
        ratio + (1 - ratio) ** objective.width / objective.width, rel=0.02
    )
    assert torch.equal(torch.where(hidden, targets, inputs) > 0, inputs > 0)


def test_a_share_of_the_windows_hides_the_last_item_only(tiny_spec) -> None:
    objective = known_objective(tiny_spec("bert4rec", mask_ratio=0.5, last_mask_share=0.3))
    data = histories(2000)
    windows = windows_of(objective, data)
    torch.manual_seed(0)
    _, targets = mask_items(objective, ITEMS + 1, data.items, windows)
    long = windows.end - windows.base > 10
    last_only = ((targets > 0).sum(dim=1) == 1) & (targets[:, -1] > 0)
    assert last_only[long].double().mean() == pytest.approx(0.3, abs=0.04)


@pytest.mark.parametrize("model", ["sasrec", "bert4rec"])
def test_prefixes_ask_for_the_last_item_of_each_once(tiny_spec, model: str) -> None:
    objective = known_objective(tiny_spec(model, objective="prefix"))
    data = histories(20)
    windows = windows_of(objective, data)
    assert len(windows) == data.interactions
    if model == "bert4rec":
        _, targets = mask_items(objective, ITEMS + 1, data.items, windows)
        assert not targets[:, :-1].any()
        assert sorted(targets[:, -1].tolist()) == sorted(data.items.tolist())


def test_overlap_shortens_the_stride(tiny_spec) -> None:
    assert known_objective(tiny_spec("sasrec")).stride == 12
    assert known_objective(tiny_spec("sasrec", window_overlap=0.25)).stride == 9
    assert known_objective(tiny_spec("sasrec", window_overlap=0.99)).stride == 1


CASES = [
    ("sasrec", {}),
    ("sasrec", {"window_overlap": 0.5}),
    ("bert4rec", {"mask_ratio": 0.3}),
    ("bert4rec", {"mask_ratio": 0.1, "last_mask_share": 0.5}),
]


@pytest.mark.parametrize(("model", "settings"), CASES)
def test_capacity_holds_the_targets_of_every_batch_and_little_more(
    tiny_spec, model, settings
) -> None:
    objective = known_objective(tiny_spec(model, batch_size=128, **settings))
    data = histories(3000)
    capacity = target_capacity(objective, windows_of(objective, data), 128)
    counts = []
    for epoch in range(1, 4):
        torch.manual_seed(epoch)
        for batch in windows_of(objective, data, epoch).batches(128):
            if objective.masks:
                _, targets = mask_items(objective, ITEMS + 1, data.items, batch)
                counts.append(int((targets > 0).sum()))
            else:
                counts.append(int((batch.end - batch.own).sum()))
    assert max(counts) <= capacity
    assert capacity < 1.45 * sum(counts) / len(counts)


@pytest.mark.parametrize(("model", "settings"), CASES)
def test_capacity_does_not_depend_on_empty_windows(tiny_spec, model, settings) -> None:
    objective = known_objective(tiny_spec(model, batch_size=512, **settings))
    windows = windows_of(objective, histories(300))
    padded = windows.padded(2 * len(windows) - 1)
    assert len(padded) > 1.9 * len(windows)
    assert target_capacity(objective, padded, 512) == target_capacity(objective, windows, 512)


@pytest.mark.parametrize("model", ["sasrec", "xlstm"])
def test_fixed_shapes_give_the_same_loss_and_gradients(tiny_spec, model: str) -> None:
    spec = tiny_spec(model, dropout=0.0)
    objective = known_objective(spec)
    data = histories(30)
    net = definition_of(spec).build(spec.architecture.settings, ITEMS, spec.length).double()
    windows = windows_of(objective, data)
    padded = windows.padded(len(windows) + 7)

    def asked(windows: Windows, capacity: int | None) -> tuple[torch.Tensor, ...]:
        loss, targets = batch_loss(objective, net, data.items, windows, capacity)
        return loss, targets, *torch.autograd.grad(loss, list(net.parameters()))

    exact, fixed = asked(windows, None), asked(padded, data.interactions + 50)
    assert int(exact[1]) == data.interactions
    for one, other in zip(exact, fixed, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-10)


def test_more_targets_than_capacity_lose_the_last() -> None:
    targets = torch.tensor([0, 4, 5, 0, 6])
    assert [t.tolist() for t in select_targets(targets, 2)] == [[1, 2], [4, 5]]
    places, kept = select_targets(targets, 4)
    assert kept.tolist() == [4, 5, 6, 0]
    assert places[:3].tolist() == [1, 2, 4]


@given(st.lists(st.integers(0, 9), min_size=1, max_size=3 * TARGET_MULTIPLE))
def test_without_capacity_every_target_is_selected_in_few_shapes(targets: list[int]) -> None:
    places, kept = select_targets(torch.tensor(targets), None)
    assert len(places) == len(kept)
    assert len(places) % TARGET_MULTIPLE == 0
    wanted = [(place, target) for place, target in enumerate(targets) if target]
    pairs = list(zip(places.tolist(), kept.tolist(), strict=True))
    assert pairs[: len(wanted)] == wanted
    assert not any(target for _, target in pairs[len(wanted) :])
