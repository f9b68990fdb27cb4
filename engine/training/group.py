"""The processes that train one run together, each with its share of every batch.

All draw the same batches and hold the same weights. An update sums losses and gradients over them,
so that it is the update of one process with the whole batch. Alone, everything here does nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn

T = TypeVar("T")

TIMEOUT_SECONDS = 600.0
"""For how long a process waits for the others before it fails: longer than any of them may be
busy alone, with a checkpoint on a slow disk, say."""

_SEED_STEP = 0x9E3779B97F4A7C15
"""Between the seeds of two processes' dropout (the golden ratio of 2^64)."""


@dataclass(frozen=True)
class Group:
    """This process's place among those that train a run."""

    rank: int = 0
    size: int = 1
    generator: torch.Generator | None = None
    """On the training device: draws what concerns the whole batch, alike in all processes.
    ``None``, torch's own: alone, or where nothing is drawn."""

    @property
    def first(self) -> bool:
        """Whether it is this process that reports, keeps and decides."""
        return self.rank == 0

    def seed(self, number: int) -> None:
        """Seed dropout, which differs from process to process, and what all draw alike."""
        torch.manual_seed((number + self.rank * _SEED_STEP) % 2**63)
        if self.generator is not None:
            self.generator.manual_seed(number)

    def rows(self, batch: int) -> int:
        """How many rows of such a batch one process takes."""
        return -(-batch // self.size)

    def share(self, batch: Tensor) -> Tensor:
        """This process's rows of (rows, width), as many as any other's: rows of 0 fill up."""
        if self.size == 1:
            return batch
        return F.pad(batch, (0, 0, 0, -len(batch) % self.size))[self.rank :: self.size]

    def summed(self, loss: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Both scalars, summed over the processes."""
        if self.size == 1:
            return loss, targets
        sums = torch.stack([loss.double(), targets.double()])
        dist.all_reduce(sums)
        return sums[0], sums[1]

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Sum the gradients over the processes, in place: all of them at once, because for models
        of some million weights the number of messages costs more than their length."""
        if self.size == 1:
            return
        gradients = [weight.grad for weight in parameters if weight.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        dist.all_reduce(flat)
        parts = torch.split(flat, [gradient.numel() for gradient in gradients])
        summed = [part.view_as(old) for part, old in zip(parts, gradients, strict=True)]
        torch._foreach_copy_(gradients, summed)

    def span(self, count: int) -> tuple[int, int]:
        """The part, from and to, of ``count`` things in order that falls to this process."""
        each = -(-count // self.size)
        return min(count, self.rank * each), min(count, (self.rank + 1) * each)

    def gathered(self, part: Tensor, count: int) -> Tensor:
        """(n, count) from every process's ``part`` of it, (n, its `span`)."""
        if self.size == 1:
            return part
        each = -(-count // self.size)
        parts = [part.new_empty(len(part), each) for _ in range(self.size)]
        dist.all_gather(parts, F.pad(part, (0, each - part.shape[1])))
        return torch.cat(parts, dim=1)[:, :count]

    def told(self, value: str | None) -> str | None:
        """The first process's ``value``."""
        if self.size == 1:
            return value
        values = [value]
        dist.broadcast_object_list(values, src=0, device=torch.device("cpu"))
        return values[0]

    def collected(self, value: T) -> list[T]:
        """Every process's ``value``, by rank."""
        values = [value] * self.size
        if self.size > 1:
            dist.all_gather_object(values, value)
        return values


ALONE = Group()


def join(device: torch.device) -> Group:
    """Meet the other processes that ``torchrun`` started; it tells each its rank and their number.

    GPUs talk over NCCL, processors over gloo.

    Raises:
        RuntimeError: they didn't come, within `TIMEOUT_SECONDS`.
    """
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    dist.init_process_group(backend, timeout=timedelta(seconds=TIMEOUT_SECONDS))
    return Group(dist.get_rank(), dist.get_world_size(), torch.Generator(device))
