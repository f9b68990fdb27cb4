"""How many users a second a trained model recommends for."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.models.base import SequenceModel
from engine.spec import TOP_K

BATCHES = (1, 256)
"""One user who waits, and as many at once as keep a device busy."""

WARM_UPS = 3
REPETITIONS = 50
SECONDS = 0.8
"""Of timed repetitions for each batch size; one that takes longer is timed once."""


@dataclass(frozen=True, slots=True)
class InferenceSpeed:
    """Users a second, each a median; ``None`` where it could not be measured."""

    users_per_second_1: float | None = None
    users_per_second_256: float | None = None


def inference_speed(
    model: SequenceModel, histories: Tensor, device: torch.device, *, bfloat16: bool
) -> InferenceSpeed:
    """Time recommending: from histories on the host to the ten best of **all** items there.

    The model is put in evaluation mode and left there. Fewer users than a batch are repeated.

    Args:
        histories: int32 (users, L) on the host, right-aligned.
        bfloat16: for the model's layers, as in its evaluation.
    """
    model.eval()
    return InferenceSpeed(*(_users_per_second(model, histories, device, bfloat16, batch)
                            for batch in BATCHES))  # fmt: skip


def _users_per_second(
    model: SequenceModel, histories: Tensor, device: torch.device, bfloat16: bool, batch: int
) -> float | None:
    users = len(histories)
    if not users:
        return None

    def recommend(first: int) -> None:
        chosen = torch.arange(first, first + batch) % users
        items = histories[chosen].to(device).long()
        with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
            states = model.query(items)
        scores = model.logits(states.float())[:, 1:]
        (scores.topk(min(TOP_K, scores.shape[1])).indices + 1).cpu()  # waits for the device

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
    except (MemoryError, RuntimeError):  # CUDA's lack of memory is one of these
        return None  # what was trained is worth more than this figure
    return batch / statistics.median(seconds)
