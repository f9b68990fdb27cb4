"""Models that are fitted, that compute their loss themselves, and that read times."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from own_models import FITTED, OWN, TIMED, Bigram, Clock, Follows, with_model
from torch import Tensor

from engine.datasets.interactions import Interactions, make_interactions
from engine.datasets.load import load_interactions
from engine.datasets.splits import leave_one_out, split_data
from engine.fitted import settings_to_try
from engine.models import Definition, TrainingHistories
from engine.models.builtin import esasrec, gru4rec, hstu
from engine.spec import RunSpec, Training
from engine.training import loop
from engine.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from engine.training.evaluation import evaluation_set
from engine.training.fitting import train_histories
from engine.training.loop import Interrupted, Outcome, train
from engine.training.measure import measure
from engine.training.objectives import Objective, batch_loss, objective_of
from engine.training.recommend import predict, trained_model
from engine.training.recorder import EpochRecord, StepRecord
from engine.training.windows import Histories, cut_windows

CPU = torch.device("cpu")
SMALL: dict[str, dict[str, object]] = {
    "Follows": {},
    "GRU4Rec": {"dim": 8, "samples": 20, "dropout": 0.2},
    "eSASRec": {"dim": 8, "layers": 1, "dropout": 0.2},
    "HSTU": {"dim": 8, "layers": 1, "dropout": 0.2},
}
"""Settings of small models of a title."""

KINDS = [FITTED, OWN, TIMED, gru4rec.MODEL, esasrec.MODEL, hstu.MODEL]


class Memory:
    """A recorder that remembers."""

    def __init__(self) -> None:
        self.updates: list[StepRecord] = []
        self.epochs: list[EpochRecord] = []

    def steps(self, records: list[StepRecord]) -> None:
        self.updates += records

    def epoch(self, record: EpochRecord) -> None:
        self.epochs.append(record)


def run(spec: RunSpec, definition: Definition, **arguments: object) -> tuple[Outcome, Memory]:
    memory = Memory()
    outcome = train(
        spec,
        definition,
        load_interactions(spec.source),
        CPU,
        memory,
        **arguments,  # type: ignore[arg-type]
    )
    return outcome, memory


def figures(*memories: Memory) -> list[object]:
    """All that must be equal between two executions: everything but the times."""
    return [
        (r.epoch, r.step, r.targets, r.loss, r.grad_norm, r.lr, r.metrics, r.settings)
        for memory in memories
        for r in memory.epochs
    ]


@pytest.mark.parametrize("definition", KINDS, ids=lambda each: each.title)
def test_interrupted_or_not_the_result_is_the_same(
    tiny_spec, definition: Definition, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    settings = SMALL.get(definition.title, {"dropout": 0.2})
    spec = with_model(tiny_spec(epochs=4, ema=0.9, lr_decay="cosine"), definition, **settings)
    whole, undisturbed = run(spec, definition)

    path = tmp_path / "checkpoint-1.pt"
    saved = 0

    def keep(checkpoint: Checkpoint) -> None:
        nonlocal saved
        save_checkpoint(path, checkpoint)
        saved = checkpoint.epoch

    first = Memory()
    with pytest.raises(Interrupted):
        train(
            spec,
            definition,
            load_interactions(spec.source),
            CPU,
            first,
            save=keep,
            stop=lambda: saved == 2,
        )
    torch.rand(17)  # whatever happens to the global generator in between
    checkpoint = load_checkpoint(path, spec.fingerprint())
    resumed, second = run(spec, definition, resume=checkpoint)

    assert figures(first, second) == figures(undisturbed)
    assert [r.epoch for r in second.epochs] == list(range(3, len(undisturbed.epochs) + 1))
    assert resumed.best.metrics == whole.best.metrics
    assert resumed.best.settings == whole.best.settings
    assert torch.equal(resumed.test_ranks, whole.test_ranks)


def to_try(spec: RunSpec) -> list[dict[str, object]]:
    return settings_to_try(spec.architecture.settings, FITTED.grid)


def test_a_fitted_model_tries_every_combination_of_its_grid(tiny_spec) -> None:
    spec = with_model(tiny_spec(epochs=1, patience=1), FITTED, reach=None)
    outcome, memory = run(spec, FITTED)
    tried = [epoch.settings for epoch in memory.epochs]
    assert tried == to_try(spec)
    assert [(s["share"], s["reach"]) for s in tried if s][:3] == [(0.0, 1), (0.0, 2), (0.01, 1)]
    assert len(tried) == 8
    assert outcome.cause == "completed"
    scores = [epoch.metrics["valid_ndcg"] for epoch in memory.epochs]
    assert outcome.best.epoch == 1 + scores.index(max(scores))
    assert outcome.best.settings == tried[outcome.best.epoch - 1]
    assert not memory.updates
    for number, epoch in enumerate(memory.epochs, 1):
        assert (epoch.epoch, epoch.step, epoch.batches) == (number, number, 1)
        assert (epoch.loss, epoch.loss_sum, epoch.grad_norm, epoch.lr) == (None,) * 4
        assert epoch.train_seconds > 0
    # The best is what is evaluated at the end, though it is the last only by chance.
    found = float((outcome.test_ranks[0] <= 10).double().mean())
    assert found == pytest.approx(outcome.best.metrics["test_recall"])


def test_a_setting_that_is_set_is_not_tried(tiny_spec) -> None:
    assert to_try(with_model(tiny_spec(), FITTED, share=0.5, reach=2)) == [{}]
    tried = to_try(with_model(tiny_spec(), FITTED, share=0.5, reach=None))
    assert tried == [{"reach": 1}, {"reach": 2}]


@given(st.lists(st.integers(0, 6), min_size=1, max_size=8), st.booleans())
def test_a_model_is_fitted_to_the_training_part_alone(lengths: list[int], timed: bool) -> None:
    data = histories_of(lengths, timed=timed)
    found = train_histories(leave_one_out(data), CPU)
    held = [2 if length >= 3 else 0 for length in lengths]
    parts = [
        (int(start), int(end) - out)
        for (start, end), out in zip(pairwise(data.offsets), held, strict=True)
    ]
    assert found.items.tolist() == [int(data.items[i]) for a, b in parts for i in range(a, b)]
    assert found.offsets.tolist() == [0, *np.cumsum([b - a for a, b in parts]).tolist()]
    if data.times is None:
        assert found.times is None
    else:
        assert found.times is not None
        assert found.times.tolist() == [int(data.times[i]) for a, b in parts for i in range(a, b)]


def histories_of(lengths: list[int], *, timed: bool = True) -> Interactions:
    """Histories of items 1, 2, … throughout, item i at the time 1000 · i."""
    total = sum(lengths)
    items = np.arange(1, total + 1)
    times = (1000 * items).astype(np.int64) if timed else None
    return make_interactions(items, np.cumsum([0, *lengths]), max(1, total), times)


def test_the_weights_of_a_fitted_model_are_read_with_the_settings_it_chose(
    tiny_spec, tmp_path: Path
) -> None:
    spec = with_model(tiny_spec(), FITTED)
    outcome, _ = run(spec, FITTED)
    torch.save(outcome.best.model, tmp_path / "model.pt")
    data = load_interactions(spec.source)
    model = trained_model(
        spec, FITTED, tmp_path / "model.pt", data.num_items, outcome.best.settings
    )
    assert isinstance(model, Follows)
    assert model.settings.share == (outcome.best.settings or {})["share"]
    split = split_data(data, spec.source)
    for row, user in enumerate(split.test.users[:20].tolist()):
        found = predict(model, split, user, 5)
        assert (found.rank, found.rank_masked) == tuple(outcome.test_ranks[:, row].tolist())


@pytest.mark.parametrize("definition", KINDS, ids=lambda each: each.title)
def test_an_epoch_of_every_kind_can_be_measured(tiny_spec, definition: Definition) -> None:
    spec = with_model(tiny_spec(), definition)
    found = measure(spec, definition, load_interactions(spec.source), CPU, 0.1)
    assert found.train_seconds > 0
    assert found.eval_seconds > 0


# ——— A loss of one's own


@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=12),
    st.integers(2, 7),
    st.integers(0, 2**31),
)
def test_each_item_after_the_first_is_a_target_once(
    lengths: list[int], length: int, seed: int
) -> None:
    batch = own_windows(lengths, length, seed)
    assert batch.shape[1] == length + 1
    pairs = [
        (int(a), int(b)) for row in batch for a, b in pairwise(row.tolist()) if a > 0 and b > 0
    ]
    data = histories_of(lengths)
    expected = [
        (int(data.items[i]), int(data.items[i + 1]))
        for start, end in pairwise(data.offsets.tolist())
        for i in range(start, end - 1)
    ]
    assert sorted(pairs) == expected
    # Right-aligned, and no window is without a target.
    assert ((batch > 0).diff(dim=1).int() >= 0).all()
    assert (batch[:, -2:] > 0).all()


def own_windows(lengths: list[int], length: int, seed: int) -> Tensor:
    """The windows that a model with a loss of its own is given."""
    data = histories_of(lengths)
    histories = Histories(
        torch.from_numpy(data.items),
        torch.from_numpy(data.offsets[:-1]),
        torch.from_numpy(data.offsets[1:]),
    )
    given: list[Tensor] = []

    class Keeps(OWN.module):  # type: ignore[name-defined, misc]
        def loss(self, items: Tensor) -> tuple[Tensor, Tensor]:
            given.append(items)
            return torch.zeros(()), torch.ones(())

    objective = Objective(Training(), False, length + 1, length, context=1)
    windows = cut_windows(
        histories,
        objective.width,
        torch.Generator().manual_seed(seed),
        objective.stride,
        context=objective.context,
    )
    model = Keeps(OWN.settings(), data.num_items, length)
    batch_loss(objective, model, histories.items, windows)
    return given[0]


def test_the_loss_of_a_model_is_its_own(tiny_spec) -> None:
    """Without weights, each of the next items costs the logarithm of the number of scores."""
    spec = with_model(tiny_spec(epochs=1, lr=1e-9), OWN)
    data = load_interactions(spec.source)

    class Blank(OWN.module):  # type: ignore[name-defined, misc]
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments)
            for weight in self.parameters():
                torch.nn.init.zeros_(weight)

    _, memory = run(spec, replace(OWN, module=Blank))
    (epoch,) = memory.epochs
    assert epoch.loss == pytest.approx(math.log(data.num_items + 1), rel=1e-5)
    # Of each user's items, two are held out and the first has none before it.
    assert epoch.targets == len(data.items) - 3 * data.num_users
    objective = objective_of(spec, OWN)
    assert (objective.width, objective.stride) == (13, 12)


def test_a_model_with_its_own_loss_is_prepared_with_the_training_part(tiny_spec) -> None:
    prepared: list[TrainingHistories] = []

    class Prepared(Bigram):
        def prepare(self, train: TrainingHistories) -> None:
            prepared.append(train)

    spec = with_model(tiny_spec(epochs=1), OWN)
    run(spec, replace(OWN, module=Prepared))
    [given] = prepared
    expected = train_histories(split_data(load_interactions(spec.source), spec.source), CPU)
    assert torch.equal(given.items, expected.items)
    assert torch.equal(given.offsets, expected.offsets)


def test_a_model_with_its_own_loss_learns(tiny_spec) -> None:
    spec = with_model(tiny_spec(epochs=12, lr=0.02, grad_clip=1.0, ema=0.9), OWN)
    outcome, memory = run(spec, OWN)
    losses = [epoch.loss or 0 for epoch in memory.epochs]
    assert losses[-1] < losses[0] - 0.2
    assert outcome.best.metrics["valid_ndcg"] > memory.epochs[0].metrics["valid_ndcg"]
    assert len(memory.updates) == memory.epochs[-1].step


# ——— Times


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
        found = evaluation_set(split, name, 12, CPU, timed=True)
        assert found.times is not None
        assert data.times is not None
        assert ((found.times == 0) == (found.histories == 0)).all()
        last = torch.from_numpy(data.times[split.ends(name) - 1])
        assert torch.equal(found.times[:, -1], last)
        assert evaluation_set(split, name, 12, CPU).times is None
    assert (
        evaluation_set(
            leave_one_out(load_interactions(spec.source)), "test", 12, CPU, timed=True
        ).times
        is None
    )


def test_a_recommendation_has_the_times_of_the_history(tiny_spec) -> None:
    spec = with_model(tiny_spec(), TIMED)
    data = with_times(spec)
    model = TIMED.build({}, data.num_items, spec.length)
    assert isinstance(model, Clock)
    split = leave_one_out(data)
    predict(model.eval(), split, 3, 5)
    ((items, times),) = model.met
    wanted = evaluation_set(split, "test", spec.length, CPU, timed=True)
    assert torch.equal(items[0], wanted.histories[3].long())
    assert times is not None
    assert wanted.times is not None
    assert torch.equal(times[0], wanted.times[3])


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
