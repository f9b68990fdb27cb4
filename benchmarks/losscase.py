"""One loss over one catalogue, measured in a process of its own.

``python -m benchmarks.losscase CASE``, a `Case` as JSON, prints a `Measured` as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.common import default_device, peak_resident, seconds
from engine.models.base import OutputLayer
from engine.spec import Training
from engine.training.loop import uses_bfloat16
from engine.training.losses import target_loss

LOSSES = {
    "plain": "cross-entropy, all scores at once",
    "full": "cross-entropy, in parts",
    "sampled": "sampled softmax",
    "gbce": "gBCE",
}
ENOUGH = 2.0
"""Seconds after which no further call is timed."""


@dataclass(frozen=True)
class Case:
    loss: str
    """A key of `LOSSES`."""
    items: int
    dim: int
    targets: int
    negatives: int


@dataclass(frozen=True)
class Measured:
    seconds: float
    """Of the fastest call, forward and backward."""
    bytes: int
    """Most memory at a time, beside what stands before and after each call."""


def measure(case: Case, device: torch.device) -> Measured:
    """Time a loss and find its memory.

    Raises:
        MemoryError: on a CPU, the scores wouldn't fit.
    """
    training = Training(negatives=case.negatives)
    if case.loss != "plain":
        training = Training.model_validate(training.model_dump() | {"loss": case.loss})
    elif device.type == "cpu":
        _require_memory(4 * 4 * case.targets * (case.items + 1))
    torch.manual_seed(0)
    states = torch.randn(case.targets, case.dim, device=device, requires_grad=True)
    weight = torch.randn(case.items + 1, case.dim, device=device).mul_(0.02).requires_grad_()
    bias = torch.zeros(case.items + 1, device=device, requires_grad=True)
    targets = torch.randint(1, case.items + 1, (case.targets,), device=device)
    output = OutputLayer(weight, bias)
    bfloat16 = uses_bfloat16(training, device)

    def loss_of() -> Tensor:
        if case.loss != "plain":
            return target_loss(states, output, targets, training)
        return F.cross_entropy(output.logits(states), targets, reduction="sum", ignore_index=0)

    def work() -> None:
        with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
            loss = loss_of()
        torch.autograd.backward(loss)

    for leaf in (states, weight, bias):
        leaf.grad = torch.zeros_like(leaf)
    before = _memory(device)
    started = time.monotonic()
    times = [seconds(work, device)]
    peak = _peak_memory(device)
    while len(times) < 2 or time.monotonic() - started < ENOUGH:
        times.append(seconds(work, device))
    return Measured(min(times), peak - before)


def _memory(device: torch.device) -> int:
    """Bytes in use, after which `_peak_memory` counts."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return torch.cuda.memory_allocated(device)
    # Resets the kernel's high-water mark, which Python's and torch's imports have set.
    Path("/proc/self/clear_refs").write_text("5")
    return psutil.Process().memory_info().rss


def _peak_memory(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return peak_resident()


def _require_memory(size: int) -> None:
    if size > psutil.virtual_memory().available:
        raise MemoryError


def main() -> int:
    case = Case(**json.loads(sys.argv[1]))
    try:
        measured = measure(case, default_device())
    except (MemoryError, torch.OutOfMemoryError):
        return 1
    print(json.dumps(asdict(measured)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
