"""The learning rate schedule."""

from __future__ import annotations

import math

from engine.spec import Training


def learning_rate(training: Training, step: int, steps: int) -> float:
    """Return the learning rate of update ``step``, from 1, in a run of at most ``steps`` updates.

    The rate rises linearly over ``warmup_steps``, then follows ``lr_decay``; linear and cosine
    decay reach 0 after the last update.
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
