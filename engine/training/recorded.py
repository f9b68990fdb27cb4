"""Recording what is done on a GPU as a CUDA graph: one launch in place of hundreds."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar

import torch

T = TypeVar("T")

WARM_UPS = 2
"""Executions before one is recorded, beside the first: libraries set themselves up at their first
calls."""


@dataclass(frozen=True)
class Recorded(Generic[T]):
    """Work that can be replayed, from the tensors that it read and to those that it returned."""

    graph: torch.cuda.CUDAGraph
    result: T


def record(
    work: Callable[[], T],
    *,
    generator: torch.Generator | None = None,
    pool: Any = None,
) -> Recorded[T] | str:
    """Execute the work a few times and record it; return torch's message in place of that if part
    of it waits for the device, which can't be recorded.

    To be called in `Lane.exclusive` and `Lane.randomness`: how torch treats such waits is up to the
    process, and the default generator's state is that which the graph draws from.

    Args:
        generator: one that the work draws from, other than torch's default.
        pool: memory of another graph's that this one may use too, as both are replayed on one
            stream.
    """
    graph = torch.cuda.CUDAGraph()
    # Recorded on the stream that it is executed on first: autograd remembers the stream of weights.
    # The default stream can't be recorded.
    current = torch.cuda.current_stream()
    is_default = current == torch.cuda.default_stream()
    stream = _side_stream(torch.cuda.current_device()) if is_default else current
    stream.wait_stream(current)
    try:
        with torch.cuda.stream(stream):
            problem = _warm_up(work)
        if problem is not None:
            return problem
        if generator is not None:
            graph.register_generator_state(generator)
        # Other threads, NCCL's among them, call the driver too, which a global capture forbids.
        recording = torch.cuda.graph(
            graph, pool=pool, stream=stream, capture_error_mode="thread_local"
        )
        with _no_collection(), recording:
            result = work()
    finally:
        current.wait_stream(stream)
    return Recorded(graph, result)


@cache
def _side_stream(device: int) -> torch.cuda.Stream:
    """Return the stream of a GPU on which work of its default stream is recorded: always the same,
    because libraries keep memory for each."""
    return torch.cuda.Stream(device)  # type: ignore[no-untyped-call]


def _warm_up(work: Callable[[], object]) -> str | None:
    """Execute the work; return torch's message if part of it waits for the device."""
    work()
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
