"""Measuring inference: users per second that a trained model recommends for."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.models.base import Model
from engine.spec import TOP_K
from engine.training.cputime import CpuClock
from engine.training.ranking.scoring import scores

BATCHES = (1, 256)
"""Batch sizes: a single user, for latency, and enough users to keep a device busy."""

WARM_UPS = 3
REPETITIONS = 50
MOST_HISTORIES = (WARM_UPS + REPETITIONS) * max(BATCHES)
"""More than these aren't used."""

SECONDS = 0.8
"""Time limit of the repetitions at each batch size, of which at least one is timed."""


@dataclass(frozen=True, slots=True)
class InferenceSpeed:
    """Users per second, median of the repetitions, by batch size; ``None`` if not measured."""

    users_per_second_1: float | None = None
    users_per_second_256: float | None = None
    speed_cpu_share: float | None = None
    """`CpuTime.share` while they were measured."""


def inference_speed(
    model: Model,
    histories: Tensor,
    device: torch.device,
    *,
    bfloat16: bool,
    times: Tensor | None = None,
) -> InferenceSpeed:
    """Time recommendations: from histories on the host to the top ten of **all** items, also on
    the host.

    Puts the model in evaluation mode and leaves it there. If there are fewer users than a batch
    holds, they are repeated.

    Args:
        histories: int32 (users, L), on the host, right-aligned.
        bfloat16: as in `scores`.
        times: int64 (users, L), those of the histories if the model reads them.
    """
    model.eval()
    clock = CpuClock()
    speeds = [
        _users_per_second(model, histories, times, device, bfloat16, batch) for batch in BATCHES
    ]
    one, many = speeds
    return InferenceSpeed(one, many, clock.lap().share if one or many else None)


def _users_per_second(
    model: Model,
    histories: Tensor,
    times: Tensor | None,
    device: torch.device,
    bfloat16: bool,
    batch: int,
) -> float | None:
    users = len(histories)
    if not users:
        return None

    def recommend(first: int) -> None:
        chosen = torch.arange(first, first + batch) % users
        items = histories[chosen].to(device).long()
        moments = None if times is None else times[chosen].to(device)
        logits = scores(model, items, moments, bfloat16=bfloat16)[:, 1:]
        (logits.topk(min(TOP_K, logits.shape[1])).indices + 1).cpu()  # waits for the device

    seconds: list[float] = []
    try:
        with torch.inference_mode():
            began = time.perf_counter()
            for number in range(WARM_UPS):
                recommend(number * batch)
                if time.perf_counter() - began > SECONDS / 2:
                    break
            began = time.perf_counter()
            for number in range(REPETITIONS):
                started = time.perf_counter()
                recommend(number * batch)
                ended = time.perf_counter()
                seconds.append(ended - started)
                if ended - began > SECONDS:
                    break
    except (MemoryError, RuntimeError):  # the latter includes CUDA's out of memory
        return None  # the trained model is worth more than this measurement
    return batch / statistics.median(seconds)
