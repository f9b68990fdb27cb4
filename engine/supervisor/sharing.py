"""Which slot a run may start in, where the runs of several slots share a resident worker."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeGuard

from engine.inbox import WorkerState
from engine.machine.slots import Slot
from engine.store import transitions
from engine.store.database import StoreConnection
from engine.store.transitions import LiveAttempt
from engine.supervisor.launcher import Pool
from engine.supervisor.memory import MemoryRoom

MOST_SHARED_LOSSES = 2
"""Losses of a run together with others after which it is trained alone."""

BEFORE_STATE = 4
"""Runs at once in a worker that hasn't said yet how many are worth while."""

STATE_SECONDS = 10.0
"""Age from which what a worker said of itself counts no more."""

USED_SHARE = 0.9
"""Of a GPU's memory, what runs are expected to need together at most."""


def free_slots(live: Iterable[LiveAttempt], launcher: str | None, pool: Pool) -> list[Slot]:
    """Return the slots of a launcher that no live attempt is in.

    An adopted attempt whose slot isn't known, or isn't a slot any more, takes the first free one.
    """
    free = {slot.name: slot for slot in pool.slots}
    unplaced = 0
    for attempt in live:
        if attempt.launcher == launcher and free.pop(attempt.slot or "", None) is None:
            unplaced += 1
    return list(free.values())[unplaced:]


@dataclass
class Company:
    """The resident workers of one launcher."""

    names: Mapping[str, str | None]
    """The worker of each slot, by the slot's name; ``None`` if each run there has its process."""
    titles: Mapping[str, str]
    """The name of the device of each worker."""
    state: Callable[[str], WorkerState | None]
    """Reads what a worker last said of itself."""
    inside: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """The runs that each worker has, by its name."""

    def beside(self, slot: Slot) -> list[str]:
        """Return the runs that are trained in the worker of a slot."""
        name = self.names[slot.name]
        return [] if name is None else self.inside[name]

    def wants(self, worker: str) -> int:
        """Return how many runs at once are worth while in a worker: the most that it or another one
        on such a device has found, as each measures with runs of its own."""
        alike = (each for each in self.titles if self.titles[each] == self.titles[worker])
        states = [state for each in alike if _is_fresh(state := self.state(each))]
        return max((state.wants for state in states), default=BEFORE_STATE)


@dataclass
class Sharing:
    """Decides who is trained beside whom."""

    measured: bool
    """Whether the number of runs at once is measured; if not, all slots are used."""
    memory: MemoryRoom = field(default_factory=MemoryRoom)

    def slot(
        self,
        connection: StoreConnection,
        run: str,
        free: Sequence[Slot],
        company: Company,
    ) -> Slot | None:
        """Return the free slot that the run may start in beside the fewest others, of equal ones
        the first; ``None`` if it has to wait."""
        for slot in sorted(free, key=lambda each: len(company.beside(each))):
            name, beside = company.names[slot.name], company.beside(slot)
            if name is None or not beside:
                return slot
            if any(_is_kept_alone(connection, each) for each in (run, *beside)):
                continue
            if not self.measured:
                return slot
            state = company.state(name)
            if self._fits(connection, run, beside, slot, state, company.wants(name)):
                return slot
        return None

    def may_join(
        self,
        connection: StoreConnection,
        run: str,
        beside: Sequence[str],
        slot: Slot,
        state: WorkerState | None,
    ) -> bool:
        """Whether a run may be trained beside others in a worker that measures how many are worth
        while."""
        if any(_is_kept_alone(connection, each) for each in (run, *beside)):
            return False
        wants = state.wants if state is not None else BEFORE_STATE
        return self._fits(connection, run, beside, slot, state, wants)

    def _fits(
        self,
        connection: StoreConnection,
        run: str,
        beside: Iterable[str],
        slot: Slot,
        state: WorkerState | None,
        wants: int,
    ) -> bool:
        """Whether one more run is worth while in a worker, and all of them fit the GPU's memory."""
        runs = [run, *beside]
        if not _is_fresh(state):
            return len(runs) <= BEFORE_STATE
        if len(runs) > wants:
            return False
        if state.room_mib is None:
            return True
        needs = sum(self.memory.need(connection, each, slot) for each in runs)
        return needs <= USED_SHARE * state.room_mib


def _is_fresh(state: WorkerState | None) -> TypeGuard[WorkerState]:
    # In the future is what a worker said before the clock was set back.
    return state is not None and abs(time.time() - state.t) <= STATE_SECONDS


def _is_kept_alone(connection: StoreConnection, run: str) -> bool:
    """Whether a run's process vanished so often while it trained others, too, that the run may be
    the reason, or memory didn't suffice for the run and others."""
    lost = transitions.shared_losses(connection, run)
    return lost >= MOST_SHARED_LOSSES or transitions.was_crowded(connection, run)
