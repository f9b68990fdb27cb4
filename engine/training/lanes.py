"""Lanes: what each of several runs that one process trains at once has for itself, a thread, random
numbers and, on a GPU, a stream. A run's figures are those that it has in a process of its own.

Three things belong to the process, and a lane has them for itself for a time:

- the device, in `Lane.exclusive`, for what others' work would disturb, or fail by;
- torch's default generators, in `Lane.randomness`, for what draws from them;
- autocast's cache of cast weights, which the end of an ``autocast`` in any thread empties: that
  changes the order in which another thread sums gradients. So all autocast is in `randomness`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from functools import partial, wraps
from threading import Condition, Lock
from typing import ParamSpec, TypeVar

import torch

P = ParamSpec("P")
T = TypeVar("T")


class Lane:
    """The lane of a run that has its process for itself: torch's default generators and stream, and
    nobody to wait for."""

    shares_process = False
    """Whether the process is made for several lanes, whatever their number now."""

    @property
    def others(self) -> int:
        """Number of other lanes now."""
        return 0

    def give_way(self) -> None:
        """Wait while another lane wants the device for itself; where none does, that costs nothing.

        Called before every update and every batch of an evaluation.
        """

    def aside(self) -> AbstractContextManager[None]:
        """Let others have the device for themselves meanwhile: for work on the host, long enough
        that they shouldn't wait for it, in which the device isn't touched."""
        return nullcontext()

    def exclusive(self) -> AbstractContextManager[None]:
        """Have the device for this lane: every other one has given way, and nothing is left to do
        on the device when it begins. Not to be entered inside of `randomness`."""
        return nullcontext()

    def in_common_thread(self, work: Callable[[], T]) -> T:
        """Do work in a thread that all lanes share, one lane at a time, on the lane's stream: for
        what isn't a replay, because libraries keep their plans by thread, and making one anew takes
        up to seconds. Not to be called inside of `exclusive` or `randomness`; both may be entered
        by the work, and torch's modes must be."""
        return work()

    def seed(self, number: int) -> None:
        """Seed the lane's random numbers, as ``torch.manual_seed`` does a process's."""
        # That takes a millisecond for devices which aren't there.
        torch.default_generator.manual_seed(number)
        if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
            torch.cuda.manual_seed_all(number)

    def randomness(self) -> AbstractContextManager[None]:
        """Let torch's default generators be this lane's, one lane at a time: for all that draws
        random numbers, or casts, but a captured update. Entered for one update or batch at a
        time."""
        return nullcontext()

    def drawing(self, function: Callable[P, T]) -> Callable[P, T]:
        """Return the function with each of its calls in `randomness`."""
        return function


ALONE = Lane()
"""Of a run in a process of its own."""


@dataclass
class _Process:
    """What the lanes of a process share."""

    turn: Condition = field(default_factory=Condition)
    """Guards all but ``drawing``, and tells of their changes."""
    lanes: set[_Shared] = field(default_factory=set)
    holder: _Shared | None = None
    """The lane that has the device for itself."""
    wanting: int = 0
    """How many lanes are the holder, or wait for being it."""
    drawing: Lock = field(default_factory=Lock)
    """Held by the lane that torch's default generators are of."""
    working: Lock = field(default_factory=Lock)
    """Held by the lane that the common thread works for."""
    common: ThreadPoolExecutor = field(default_factory=partial(ThreadPoolExecutor, max_workers=1))
    streams: dict[torch.device, list[torch.cuda.Stream]] = field(default_factory=dict)
    """Streams of lanes that have ended: torch has few, and gives several lanes the same."""


class Lanes:
    """The lanes of a process."""

    def __init__(self) -> None:
        self._process = _Process()

    @contextmanager
    def lane(self, device: torch.device) -> Iterator[Lane]:
        """Make the lane of a run, for the thread that trains it and for all of its life."""
        if device.type == "cuda":
            torch.cuda.init()  # type: ignore[no-untyped-call]
        process, lane = self._process, _Shared(self._process, device)
        with process.turn:
            process.lanes.add(lane)
        try:
            lane.give_way()
            with _stream(process, device) if device.type == "cuda" else nullcontext():
                yield lane
        finally:
            with process.turn:
                process.lanes.remove(lane)
                process.turn.notify_all()


@contextmanager
def _stream(process: _Process, device: torch.device) -> Iterator[None]:
    """Let the thread's work on a GPU go to a stream that no other lane has."""
    with process.turn:
        idle = process.streams.setdefault(device, [])
        found = idle.pop() if idle else None
    stream = found or torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
    try:
        with torch.cuda.stream(stream):
            yield
    finally:
        # What the thread has left to do may read what other lanes share, or free.
        with suppress(RuntimeError):
            stream.synchronize()
        with process.turn:
            idle.append(stream)


class _Shared(Lane):
    """A lane beside others."""

    shares_process = True

    def __init__(self, process: _Process, device: torch.device) -> None:
        self._process, self._device = process, device
        self._waits = False
        """Whether others may have the device for themselves; guarded by ``process.turn``."""
        self._draws = False
        """Whether torch's default generators are this lane's."""
        self._host = torch.Generator().get_state()
        """State of the lane's random numbers on the host, while it doesn't draw."""
        self._generator = torch.Generator(device) if device.type == "cuda" else None

    @property
    def others(self) -> int:
        return len(self._process.lanes) - 1

    def give_way(self) -> None:
        if self._process.wanting:
            with self.aside():
                pass

    @contextmanager
    def aside(self) -> Iterator[None]:
        self._must_not_draw()
        process = self._process
        if process.holder is self:
            yield
            return
        with process.turn:
            self._waits = True
            process.turn.notify_all()
        try:
            yield
        finally:
            with process.turn:
                process.turn.wait_for(lambda: not process.wanting)
                self._waits = False

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        self._must_not_draw()
        process = self._process
        if process.holder is self:
            yield
            return
        with process.turn:
            process.wanting += 1
            self._waits = True
            process.turn.notify_all()
            process.turn.wait_for(self._may_hold)
            process.holder, self._waits = self, False
        try:
            if self._device.type == "cuda":
                torch.cuda.synchronize(self._device)
            yield
        finally:
            with process.turn:
                process.holder = None
                process.wanting -= 1
                process.turn.notify_all()

    def in_common_thread(self, work: Callable[[], T]) -> T:
        process = self._process
        if process.holder is self:
            raise RuntimeError("A lane that has the device can't wait for the common thread.")
        # Whoever works there may want the device for itself meanwhile.
        with self.aside():
            process.working.acquire()
        try:
            if self._device.type != "cuda":
                return process.common.submit(work).result()
            stream = torch.cuda.current_stream(self._device)

            def on_stream() -> T:
                with torch.cuda.stream(stream):
                    return work()

            return process.common.submit(on_stream).result()
        finally:
            process.working.release()

    def seed(self, number: int) -> None:
        self._host = torch.Generator().manual_seed(number).get_state()
        if self._generator is not None:
            self._generator.manual_seed(number)

    @contextmanager
    def randomness(self) -> Iterator[None]:
        self._must_not_draw()
        default = torch.default_generator
        with self._process.drawing, self._on_device():
            before = default.get_state()
            default.set_state(self._host)
            self._draws = True
            try:
                yield
            finally:
                self._draws = False
                self._host = default.get_state()
                default.set_state(before)

    def drawing(self, function: Callable[P, T]) -> Callable[P, T]:
        @wraps(function)
        def drawn(*args: P.args, **kwargs: P.kwargs) -> T:
            with self.randomness():
                return function(*args, **kwargs)

        return drawn

    @contextmanager
    def _on_device(self) -> Iterator[None]:
        """Let the default generator of a GPU have the state of this lane's. A CUDA graph that is
        captured meanwhile goes on drawing from that state."""
        if self._generator is None:
            yield
            return
        index = self._device.index
        if index is None:
            index = torch.cuda.current_device()
        default = torch.cuda.default_generators[index]
        before = default.graphsafe_get_state()
        default.graphsafe_set_state(self._generator)
        try:
            yield
        finally:
            default.graphsafe_set_state(before)

    def _may_hold(self) -> bool:
        process = self._process
        others = (each for each in process.lanes if each is not self)
        return process.holder is None and all(each._waits for each in others)  # noqa: SLF001

    def _must_not_draw(self) -> None:
        """Raise `RuntimeError` in `randomness`: whoever waits there for another lane waits for ever
        if that one is about to draw."""
        if self._draws:
            raise RuntimeError("A lane that draws random numbers can't wait for others.")
