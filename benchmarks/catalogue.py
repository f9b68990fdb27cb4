"""Losses over large catalogues: their time and their memory. ``make bench-catalogue``.

Each is measured in a process of its own, whose peak memory is the loss's.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import psutil
import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.common import default_device, machine, peak_resident, progress, run, seconds, table
from engine.models.base import OutputLayer
from engine.spec import Training
from engine.training.losses import target_loss
from engine.training.setup import uses_bfloat16

LOSSES = {
    "plain": "cross-entropy, all scores at once",
    "full": "cross-entropy, in parts",
    "sampled": "sampled softmax",
    "gbce": "gBCE",
}
ITEMS = (10_000, 50_000, 200_000)
TARGETS, DIM, NEGATIVES = 4096, 128, 256
ENOUGH = 2.0
"""Seconds after which no further call is timed."""


def measure(loss: str, items: int, device: torch.device) -> tuple[float, int]:
    """Seconds of the fastest call, forward and backward, and bytes of memory at most beside what
    stands before and after each."""
    chosen = {} if loss == "plain" else {"loss": loss}
    training = Training.model_validate({"negatives": NEGATIVES} | chosen)
    torch.manual_seed(0)
    states = torch.randn(TARGETS, DIM, device=device, requires_grad=True)
    weight = torch.randn(items + 1, DIM, device=device).mul_(0.02).requires_grad_()
    bias = torch.zeros(items + 1, device=device, requires_grad=True)
    targets = torch.randint(1, items + 1, (TARGETS,), device=device)
    output = OutputLayer(weight, bias)
    bfloat16 = uses_bfloat16(training, device)

    def loss_of() -> Tensor:
        if loss != "plain":
            return target_loss(states, output, targets, training)
        return F.cross_entropy(output.logits(states), targets, reduction="sum", ignore_index=0)

    def work() -> None:
        with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
            value = loss_of()
        torch.autograd.backward(value)

    for leaf in (states, weight, bias):
        leaf.grad = torch.zeros_like(leaf)
    cuda = device.type == "cuda"
    if cuda:
        torch.cuda.reset_peak_memory_stats(device)
    else:  # the kernel's high-water mark, which imports have set
        Path("/proc/self/clear_refs").write_text("5")
    before = torch.cuda.memory_allocated(device) if cuda else psutil.Process().memory_info().rss
    started = time.monotonic()
    times = [seconds(work, device)]
    peak = torch.cuda.max_memory_allocated(device) if cuda else peak_resident()
    while len(times) < 2 or time.monotonic() - started < ENOUGH:
        times.append(seconds(work, device))
    return min(times), peak - before


def measured_apart(loss: str, items: int) -> tuple[str, str]:
    """Milliseconds and MiB, measured in a fresh process; it may end early, out of memory."""
    command = [sys.executable, "-m", "benchmarks.catalogue", loss, str(items)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        return "–", "out of memory"
    taken, size = json.loads(done.stdout)
    return f"{1e3 * taken:,.0f}", f"{size / 2**20:,.0f}"


def main() -> None:
    device = default_device()
    if sys.argv[1:]:
        loss, items = sys.argv[1:]
        print(json.dumps(measure(loss, int(items), device)))
        return
    rows = []
    for count in ITEMS:
        for loss, words in LOSSES.items():
            progress(f"{words}, {count:,} items ...")
            rows.append((words, f"{count:,}", *measured_apart(loss, count)))
    print(
        f"Measured on {machine(device)}: {TARGETS:,} targets, d = {DIM}, {NEGATIVES} negatives.\n"
    )
    print(table(["loss", "items", "ms", "peak memory, MiB"], rows))


if __name__ == "__main__":
    run(main)
