"""Recording what is done on a GPU as a CUDA graph: one launch in place of hundreds."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar

import torch

from engine.training.lanes import ALONE, Lane

T = TypeVar("T")

WARM_UPS = 1
"""Executions before one is recorded, beside the first: libraries set themselves up at their first
calls."""


@dataclass(frozen=True)
class Recorded(Generic[T]):
    """Work that can be replayed, from the tensors that it read and to those that it returned."""

    graph: torch.cuda.CUDAGraph
    result: T


def record(
    works: Sequence[Callable[[], T]],
    lane: Lane = ALONE,
    *,
    generator: torch.Generator | None = None,
    pool: Any = None,
) -> list[Recorded[T]] | str:
    """Execute works a few times and record them; return torch's message in place of that if part
    of one waits for the device, which can't be recorded.

    Other lanes train on during the first executions, in which libraries plan their work, and wait
    for the rest: how torch treats what waits for the device is up to the process.

    Args:
        generator: one that the works draw from, other than torch's default.
        pool: memory of another graph's that these may use too, as all are replayed on one stream.
    """
    # Recorded on the stream that they are executed on first: autograd remembers the stream of
    # weights. The default stream can't be recorded.
    current = torch.cuda.current_stream()
    is_default = current == torch.cuda.default_stream()
    stream = _side_stream(torch.cuda.current_device()) if is_default else current
    stream.wait_stream(current)
    try:
        with torch.cuda.stream(stream):
            lane.give_way()
            for work in works:
                with lane.randomness():
                    work()
            with lane.exclusive(), lane.randomness():
                for work in works:
                    if (problem := _warm_up(work)) is not None:
                        return problem
                # What the graphs of ended runs had is the driver's again only by this.
                torch.cuda.empty_cache()
                return [_recorded(work, generator, pool) for work in works]
    finally:
        current.wait_stream(stream)


def _recorded(work: Callable[[], T], generator: torch.Generator | None, pool: Any) -> Recorded[T]:
    """Record work on the current stream. `torch.cuda.graph` would collect garbage first, which
    takes as long as all the rest."""
    graph = torch.cuda.CUDAGraph()
    if generator is not None:
        graph.register_generator_state(generator)
    torch.cuda.synchronize()
    with _no_collection():
        # Other threads, NCCL's among them, call the driver too, which a global capture forbids.
        graph.capture_begin(pool=pool, capture_error_mode="thread_local")
        try:
            result = work()
        finally:
            graph.capture_end()
    return Recorded(graph, result)


@cache
def _side_stream(device: int) -> torch.cuda.Stream:
    """Return the stream of a GPU on which work of its default stream is recorded: always the same,
    because libraries keep memory for each."""
    return torch.cuda.Stream(device)  # type: ignore[no-untyped-call]


def _warm_up(work: Callable[[], object]) -> str | None:
    """Execute work; return torch's message if part of it waits for the device."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns that the mode misses some waits
        torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(WARM_UPS):
            work()
    except RuntimeError as error:
        if "synchronizing" not in str(error):
            raise
        return str(error).splitlines()[0]
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return None


@contextmanager
def _no_collection() -> Iterator[None]:
    """Collect no garbage meanwhile: a graph of a run that has ended can't be destroyed while
    another is recorded."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
