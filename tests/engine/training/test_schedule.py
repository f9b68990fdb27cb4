"""The learning rate rises, stays or falls, and ends at nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.spec import Training
from engine.training.update import learning_rate


def rates(steps: int = 20, **settings: object) -> list[float]:
    training = Training.model_validate({"lr": 0.1} | settings)
    return [learning_rate(training, step, steps) for step in range(1, steps + 1)]


def test_constant_unless_told_otherwise() -> None:
    assert rates() == [0.1] * 20


def test_warm_up_rises_in_equal_parts() -> None:
    assert rates(warmup_steps=3)[:5] == pytest.approx([0.025, 0.05, 0.075, 0.1, 0.1])


def test_linear_decay_falls_in_equal_parts() -> None:
    found = rates(steps=4, lr_decay="linear")
    assert found == pytest.approx([0.1, 0.075, 0.05, 0.025])


def test_cosine_decay_is_half_way_down_in_the_middle() -> None:
    found = rates(steps=10, lr_decay="cosine")
    assert found[0] == 0.1
    assert found[5] == pytest.approx(0.05)
    assert found[9] < 0.003


@given(st.integers(0, 30), st.sampled_from(["constant", "linear", "cosine"]), st.integers(1, 100))
def test_never_below_zero_nor_above_the_peak(warmup: int, decay: str, steps: int) -> None:
    found = rates(steps=steps, warmup_steps=warmup, lr_decay=decay)
    assert all(0 <= rate <= 0.1 for rate in found)
    top = found.index(max(found))
    assert found[: top + 1] == sorted(found[: top + 1])
    assert found[top:] == sorted(found[top:], reverse=True)
