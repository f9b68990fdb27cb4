"""What a run would cost, from a few of its updates and a part of its evaluation."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import torch

from engine.datasets.interactions import Interactions
from engine.datasets.splits import split_data
from engine.spec import RunSpec
from engine.training.evaluation import evaluation_set, ranks
from engine.training.loop import (
    Course,
    course_of,
    epoch_windows,
    initial_state,
    steps_per_epoch,
    training_histories,
    uses_bfloat16,
)

MEASURE_SECONDS = 1.5
"""Of updates that are timed; an epoch that is shorter is timed whole."""

WARM_UPS = 2
"""Updates before the clock runs: the first ones set things up."""


@dataclass(frozen=True)
class Measurement:
    """An epoch's time, scaled up from what was timed."""

    train_seconds: float
    eval_seconds: float
    """Validation and test together."""


def measure(
    spec: RunSpec,
    interactions: Interactions,
    device: torch.device,
    seconds: float = MEASURE_SECONDS,
) -> Measurement:
    """Train and evaluate a little, and scale that up to an epoch."""
    state = initial_state(spec, interactions, device, None)
    split = split_data(interactions, spec.source)
    histories = training_histories(split, device)
    course = course_of(spec, state.learner, histories)
    state.learner.model.train()
    pace = _seconds_a_step(course, device, seconds)
    train_seconds = pace * steps_per_epoch(spec, histories)

    test = evaluation_set(split, "test", spec.length, device)
    users, batch = len(test.targets), spec.training.eval_batch_size
    part = replace(test, histories=test.histories[:batch], targets=test.targets[:batch])
    bfloat16 = uses_bfloat16(spec.training, device)
    timed = 0.0
    for _ in range(2):  # the second time counts
        started = time.perf_counter()
        ranks(state.learner.evaluated, part, batch, bfloat16=bfloat16).cpu()
        timed = time.perf_counter() - started
    share = max(1, min(users, batch)) / max(1, users)
    return Measurement(train_seconds, 2 * timed / share)


def _seconds_a_step(course: Course, device: torch.device, seconds: float) -> float:
    """Mean time of an update, the first ones left out where there are others."""
    windows = epoch_windows(course.spec, 1, course.objective, course.histories)
    began = started = time.perf_counter()
    warm = steps = 0
    for batch in windows.batches(course.spec.training.batch_size):
        course.update(batch)
        steps += 1
        if steps == WARM_UPS:
            _wait(device)
        now = time.perf_counter()
        if steps == WARM_UPS:
            started, warm = now, steps
        if steps > WARM_UPS and now - started >= seconds:
            break
    _wait(device)
    ended = time.perf_counter()
    return (ended - started) / (steps - warm) if steps > warm else (ended - began) / steps


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
