"""The processes that train one run together (data parallelism), each with a shard of every batch.

Every rank draws the same batches and holds the same weights. An update sums losses and gradients
over the ranks, so that it equals the update of a single process with the whole batch. With a world
size of 1 nothing is communicated.
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

from engine.training.lanes import ALONE, Lane

T = TypeVar("T")

TIMEOUT_SECONDS = 600.0
"""How long a rank waits for the others before it fails: longer than any of them may be busy by
itself, for instance with a checkpoint on a slow disk."""

_SEED_STEP = 0x9E3779B97F4A7C15
"""Distance between the dropout seeds of two ranks (the golden ratio of 2^64)."""


@dataclass(frozen=True)
class Group:
    """The process group that trains a run, as one of its ranks sees it."""

    rank: int = 0
    world_size: int = 1
    generator: torch.Generator | None = None
    """Random numbers that concern the whole batch, on the training device and equal on all ranks;
    ``None`` for torch's global generator."""

    def seed(self, number: int, lane: Lane = ALONE) -> None:
        """Seed dropout, the lane's random numbers, differently on each rank, and ``generator``,
        equally on all."""
        lane.seed((number + self.rank * _SEED_STEP) % 2**63)
        if self.generator is not None:
            self.generator.manual_seed(number)

    def shard_size(self, batch_size: int) -> int:
        """Return the rows of a batch that each rank takes."""
        return -(-batch_size // self.world_size)

    def shard(self, batch: Tensor) -> Tensor:
        """Return this rank's rows of a batch (rows, width), zero-padded to the same number on
        every rank."""
        if self.world_size == 1:
            return batch
        return F.pad(batch, (0, 0, 0, -len(batch) % self.world_size))[self.rank :: self.world_size]

    def all_reduce(self, loss: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Sum two scalars over the ranks."""
        if self.world_size == 1:
            return loss, targets
        sums = torch.stack([loss.double(), targets.double()])
        dist.all_reduce(sums)
        return sums[0], sums[1]

    def all_reduce_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Sum the gradients over the ranks, in place.

        They travel as a single tensor: for models of a few million weights the number of messages
        costs more than their size.
        """
        if self.world_size == 1:
            return
        gradients = [weight.grad for weight in parameters if weight.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        dist.all_reduce(flat)
        parts = torch.split(flat, [gradient.numel() for gradient in gradients])
        sums = [part.view_as(old) for part, old in zip(parts, gradients, strict=True)]
        torch._foreach_copy_(gradients, sums)

    def span(self, count: int) -> tuple[int, int]:
        """Return the bounds, half open, of this rank's part of ``count`` things in order."""
        each = self.shard_size(count)
        return min(count, self.rank * each), min(count, (self.rank + 1) * each)

    def all_gather(self, part: Tensor, count: int) -> Tensor:
        """Concatenate every rank's (n, its `span` of ``count``) to (n, count)."""
        if self.world_size == 1:
            return part
        each = self.shard_size(count)
        parts = [part.new_empty(len(part), each) for _ in range(self.world_size)]
        dist.all_gather(parts, F.pad(part, (0, each - part.shape[1])))
        return torch.cat(parts, dim=1)[:, :count]

    def broadcast(self, value: str | None) -> str | None:
        """Return rank 0's ``value`` on every rank."""
        if self.world_size == 1:
            return value
        values = [value]
        dist.broadcast_object_list(values, src=0, device=torch.device("cpu"))
        return values[0]

    def all_gather_object(self, value: T) -> list[T]:
        """Return every rank's ``value``, by rank."""
        values = [value] * self.world_size
        if self.world_size > 1:
            dist.all_gather_object(values, value)
        return values


SINGLE = Group()
"""The group of a run that a single process trains."""


def join(device: torch.device) -> Group:
    """Join the processes that ``torchrun`` started, over NCCL on GPUs and gloo on CPUs.

    Raises:
        RuntimeError: not all of them joined within `TIMEOUT_SECONDS`.
    """
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    dist.init_process_group(backend, timeout=timedelta(seconds=TIMEOUT_SECONDS))
    return Group(dist.get_rank(), dist.get_world_size(), torch.Generator(device))
