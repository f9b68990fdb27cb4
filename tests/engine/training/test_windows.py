"""Windows cover every training interaction once, and never show a user's future or another user."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.training.windows import Histories, Windows, cut_windows, item_batch, next_item_batch


def histories_of(lengths: list[int], gap: int = 2) -> Histories:
    """Users whose training part is followed by ``gap`` held-out items. Every item is distinct."""
    starts, ends, position = [], [], 0
    for length in lengths:
        starts.append(position)
        ends.append(position + length)
        position += length + gap
    return Histories(
        torch.arange(1, position + 1, dtype=torch.int32), torch.tensor(starts), torch.tensor(ends)
    )


shapes = st.tuples(
    st.lists(st.integers(0, 30), min_size=1, max_size=8),
    st.integers(2, 12),
    st.integers(0, 2**31),
)


@given(shapes)
def test_every_training_interaction_is_a_target_exactly_once(
    shape: tuple[list[int], int, int],
) -> None:
    lengths, width, seed = shape
    histories = histories_of(lengths)
    windows = cut_windows(histories, width, torch.Generator().manual_seed(seed))

    _, targets = next_item_batch(histories.items, windows, width)

    expected = [
        int(item)
        for start, end in zip(histories.starts, histories.ends, strict=True)
        for item in histories.items[start:end]
    ]
    assert sorted(targets[targets > 0].tolist()) == expected
    assert histories.interactions == len(expected)


@given(shapes)
def test_input_is_the_item_before_the_target_of_the_same_user(
    shape: tuple[list[int], int, int],
) -> None:
    lengths, width, seed = shape
    histories = histories_of(lengths)
    first_items = {
        int(histories.items[s]) for s, n in zip(histories.starts, lengths, strict=True) if n
    }
    windows = cut_windows(histories, width, torch.Generator().manual_seed(seed))

    inputs, targets = next_item_batch(histories.items, windows, width)

    for given_items, wanted in zip(inputs.tolist(), targets.tolist(), strict=True):
        for before, target in zip(given_items, wanted, strict=True):
            if target:
                assert before == (0 if target in first_items else target - 1)
        real = [item for item in given_items if item]
        assert given_items == [0] * (width - len(real)) + real, "right-aligned"
        assert real == list(range(real[0], real[0] + len(real))) if real else True


@given(shapes)
def test_item_windows_hold_training_items_of_one_user(shape: tuple[list[int], int, int]) -> None:
    lengths, width, seed = shape
    histories = histories_of(lengths)
    owner = {
        int(item): user
        for user, (start, end) in enumerate(zip(histories.starts, histories.ends, strict=True))
        for item in histories.items[start:end]
    }
    windows = cut_windows(histories, width, torch.Generator().manual_seed(seed))

    seen: set[int] = set()
    for row in item_batch(histories.items, windows, width).tolist():
        real = [item for item in row if item]
        assert len({owner[item] for item in real}) == 1
        seen.update(real)
    assert seen == set(owner)


@given(shapes, st.integers(1, 12))
def test_with_overlap_too_every_interaction_is_one_window_s_own(
    shape: tuple[list[int], int, int], stride: int
) -> None:
    lengths, width, seed = shape
    stride = min(stride, width)
    histories = histories_of(lengths)
    generator = torch.Generator().manual_seed(seed)
    windows = cut_windows(histories, width, generator, stride)

    inputs, targets = next_item_batch(histories.items, windows, width)

    assert len(targets[targets > 0]) == histories.interactions
    assert max((targets > 0).sum(dim=1).tolist(), default=0) <= stride
    for window, row in enumerate(inputs.tolist()):
        before = int(windows.end[window] - 1 - windows.base[window])
        assert sum(item > 0 for item in row) == min(width, before), "all the context there is"


def test_windows_of_stride_one_are_prefixes() -> None:
    histories = histories_of([4])
    windows = cut_windows(histories, 3, torch.Generator(), stride=1)
    inputs, targets = next_item_batch(histories.items, windows, 3)
    assert inputs.tolist() == [[0, 0, 0], [0, 0, 1], [0, 1, 2], [1, 2, 3]]
    assert targets.tolist() == [[0, 0, 1], [0, 0, 2], [0, 0, 3], [0, 0, 4]]


def test_batches_hold_every_window_once() -> None:
    histories = histories_of([40, 3, 17])
    generator = torch.Generator().manual_seed(1)
    windows = cut_windows(histories, 5, generator)

    batches = list(windows.shuffled(generator).batches(4))

    ends = torch.cat([b.end for b in batches]).tolist()
    assert ends != windows.end.tolist()
    assert sorted(ends) == sorted(windows.end.tolist())


def test_padding_is_of_windows_without_items_and_targets() -> None:
    histories = histories_of([40, 3, 17])
    windows = cut_windows(histories, 5, torch.Generator().manual_seed(1))
    padded = windows.padded(len(windows) - 3)
    assert [len(b) for b in padded.batches(len(windows) - 3)] == [len(windows) - 3] * 2
    rest = Windows(padded.ranges[:, len(windows) :])
    assert len(rest) == len(windows) - 6
    assert not torch.cat(next_item_batch(histories.items, rest, 5)).any()
    assert not item_batch(histories.items, rest, 5).any()


def test_the_same_seed_cuts_the_same_windows() -> None:
    histories = histories_of([41, 3, 17])
    one, two, other = (
        cut_windows(histories, 5, torch.Generator().manual_seed(seed)) for seed in (9, 9, 10)
    )
    assert torch.equal(one.ranges, two.ranges)
    assert not torch.equal(one.ranges, other.ranges)


@given(shapes, st.integers(1, 12))
def test_no_fewer_windows_could_hold_a_history(
    shape: tuple[list[int], int, int], stride: int
) -> None:
    lengths, width, seed = shape
    stride = min(stride, width)
    generator = torch.Generator().manual_seed(seed)
    windows = cut_windows(histories_of(lengths), width, generator, stride)
    assert len(windows) == sum(-(-length // stride) for length in lengths)


def test_cuts_fall_everywhere_they_can() -> None:
    """A history of 12 in three windows of at most 5: the first owns 2 to 5."""
    histories, generator = histories_of([12]), torch.Generator().manual_seed(3)
    cuts = [cut_windows(histories, 5, generator) for _ in range(200)]
    assert {tuple((c.end - c.own).tolist()) for c in cuts} == {
        (2, 5, 5), (3, 5, 4), (4, 5, 3), (5, 5, 2)
    }  # fmt: skip
