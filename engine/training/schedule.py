"""The learning rate of every update."""

from __future__ import annotations

import math

from engine.spec import Training


def learning_rate(training: Training, step: int, steps: int) -> float:
    """The rate of update ``step``, from 1, of a run of ``steps`` updates at most.

    It rises linearly over ``warmup_steps``, then falls as ``lr_decay`` says, to 0 after the last.
    """
    if step <= training.warmup_steps:
        return training.lr * step / (training.warmup_steps + 1)
    if training.lr_decay == "constant":
        return training.lr
    past = step - training.warmup_steps - 1
    done = min(1.0, past / max(1, steps - training.warmup_steps))
    if training.lr_decay == "linear":
        return training.lr * (1 - done)
    return training.lr * (1 + math.cos(math.pi * done)) / 2
