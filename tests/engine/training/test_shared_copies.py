"""Runs of a process share one copy of a data set on a device."""

from __future__ import annotations

import gc
from dataclasses import replace
from weakref import ref

import numpy as np
import pytest
import torch

from engine.datasets.interactions import Interactions, make_interactions
from engine.training import copies
from engine.training.copies import shared_histories
from engine.training.ranking.evaluation import FlatHistories

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "_kept", type(copies._kept)())
    monkeypatch.setattr(copies, "_used", type(copies._used)())


def made(items: int) -> Interactions:
    numbers = np.arange(1, items + 1, dtype=np.int32)
    return make_interactions(numbers, np.array([0, items]), items, numbers.astype(np.int64))


def test_equal_data_are_one_copy_and_others_are_not() -> None:
    data = made(5)
    first = shared_histories(data, CPU)
    assert shared_histories(made(5), CPU) is first
    assert shared_histories(made(6), CPU) is not first
    timed = shared_histories(data, CPU, timed=True)
    assert timed is not first
    assert timed.times is not None
    assert shared_histories(made(5), CPU, timed=True) is timed
    assert data.times is not None
    later = shared_histories(replace(data, times=data.times + 1), CPU, timed=True)
    assert later.times is not None
    assert later.times.tolist() == (timed.times + 1).tolist()


def test_a_copy_lives_while_it_is_used_and_the_last_ones_for_the_next_run() -> None:
    used = shared_histories(made(1), CPU)
    dropped: ref[FlatHistories] = ref(shared_histories(made(2), CPU))
    last = [ref(shared_histories(made(items), CPU)) for items in (3, 4)]
    gc.collect()
    assert dropped() is None
    assert all(each() is not None for each in last)
    assert shared_histories(made(1), CPU) is used
