"""A model that reads times: which it gets, in training, evaluation and recommendations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from own_models import TIMED, Clock, with_model
from remembered import CPU, Memory, run
from torch import Tensor

from engine.datasets.interactions import Interactions
from engine.datasets.load import load_interactions
from engine.datasets.splitting.splits import leave_one_out
from engine.spec import RunSpec
from engine.training.loop import train
from engine.training.ranking.evaluation import evaluation_set, flat_histories
from engine.training.ranking.recommend import predict


def with_times(spec: RunSpec) -> Interactions:
    """The run's data, each interaction at a time of its own."""
    data = load_interactions(spec.source)
    return replace(data, times=1_000_000 + 7 * np.arange(len(data.items)))


@pytest.mark.parametrize("objective", ["next-item", "prefix"])
def test_an_item_comes_with_its_own_time_and_none_that_is_later(tiny_spec, objective: str) -> None:
    overlap = 0.5 if objective == "next-item" else 0.0
    spec = tiny_spec(epochs=1, objective=objective, window_overlap=overlap)
    spec = with_model(spec, TIMED)
    data = with_times(spec)
    times = data.times
    assert times is not None
    met: list[tuple[Tensor, Tensor]] = []
    trained: list[Tensor] = []

    class Watched(Clock):
        def hidden(
            self, items: Tensor, times: Tensor | None = None, *, last_only: bool = False
        ) -> Tensor:
            assert times is not None
            met.append((items.clone(), times.clone()))
            trained.extend([times.flatten()] if self.training else [])
            return super().hidden(items, times, last_only=last_only)

    train(spec, replace(TIMED, module=Watched), data, CPU, Memory())
    assert len(met) > 10
    known = {int(time): place for place, time in enumerate(times)}
    for items, moments in met:
        assert items.shape == moments.shape
        assert (moments[items == 0] == 0).all()
        places = [known[int(time)] for time in moments[items > 0]]
        assert data.items[places].tolist() == items[items > 0].tolist()
        # One after the other in the same history: nothing is skipped, nothing is repeated.
        for row_items, row in zip(items, moments, strict=True):
            found = [known[int(time)] for time in row[row_items > 0]]
            assert found == list(range(found[0], found[0] + len(found))) if found else True
    # In training, no time is that of a held-out item; nor, in evaluation, of the target.
    split = leave_one_out(data)
    seen = {int(time) for items, moments in met for time in moments[items > 0]}
    tested, validated = (set(times[held.ends].tolist()) for held in (split.test, split.valid))
    assert not seen & tested
    assert not set(torch.cat(trained).tolist()) & (tested | validated)


def test_what_is_evaluated_comes_with_its_times(tiny_spec) -> None:
    spec = tiny_spec()
    data = with_times(spec)
    split = leave_one_out(data)
    for name in ("valid", "test"):
        found = evaluation_set(split, name, 12, flat_histories(data, CPU, timed=True))
        histories, times = found.inputs(slice(None))
        assert times is not None
        assert data.times is not None
        assert ((times == 0) == (histories == 0)).all()
        last = torch.from_numpy(data.times[split.ends(name) - 1])
        assert torch.equal(times[:, -1], last)
        assert flat_histories(data, CPU).times is None
    assert flat_histories(load_interactions(spec.source), CPU, timed=True).times is None


def test_a_recommendation_has_the_times_of_the_history(tiny_spec) -> None:
    spec = with_model(tiny_spec(), TIMED)
    data = with_times(spec)
    model = TIMED.build({}, data.num_items, spec.length)
    assert isinstance(model, Clock)
    split = leave_one_out(data)
    predict(model.eval(), split, 3, 5)
    ((items, times),) = model.met
    wanted = evaluation_set(split, "test", spec.length, flat_histories(data, CPU, timed=True))
    histories, moments = wanted.inputs(slice(3, 4))
    assert torch.equal(items[0], histories[0])
    assert times is not None
    assert moments is not None
    assert torch.equal(times[0], moments[0])


def test_data_without_times_bring_none(tiny_spec) -> None:
    spec = with_model(tiny_spec(epochs=1), TIMED)
    assert load_interactions(spec.source).times is None
    met: list[Tensor | None] = []

    class Watched(Clock):
        def hidden(
            self, items: Tensor, times: Tensor | None = None, *, last_only: bool = False
        ) -> Tensor:
            met.append(times)
            return super().hidden(items, times, last_only=last_only)

    run(spec, replace(TIMED, module=Watched))
    assert met
    assert set(met) == {None}
