"""Holds back runs on the CPU that wouldn't fit into memory together with those in training."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from pydantic import ValidationError

from engine.limits import process_limits
from engine.machine.estimates import estimate_from_past
from engine.machine.slots import Slot
from engine.machine.telemetry import MIB
from engine.spec import RunSpec
from engine.store.database import StoreConnection

KNOWN_SECONDS = 10.0
"""How long a run's need is remembered: those in training may grow."""


def _memory_mib() -> float:
    return process_limits().memory / MIB


@dataclass
class MemoryRoom:
    """The memory that the runs on this machine's CPU share."""

    total_mib: Callable[[], float] = _memory_mib
    _needs: dict[str, tuple[float, float]] = field(default_factory=dict)
    """By run, with the monotonic time from which it is out of date."""

    def shortage(
        self, connection: StoreConnection, run: str, slot: Slot, training: Iterable[str]
    ) -> str | None:
        """Return a sentence if a run has to wait for memory; ``None`` if it may start.

        It may if nothing else trains. A need that isn't known yet counts as none.
        """
        beside = sum(self.need(connection, other, slot) for other in training)
        own, total = self.need(connection, run, slot), self.total_mib()
        if not beside or own + beside <= total:
            return None
        # Without what is needed, which changes: a sentence that stays the same is logged once.
        return f"{run} waits: with those in training it needs more than {total:,.0f} MiB of memory."

    def need(self, connection: StoreConnection, run: str, slot: Slot) -> float:
        """Return the memory that a run needs on its device, in MiB: the most that its attempts, and
        those of like runs, were seen to have; 0 if that isn't known."""
        now = time.monotonic()
        need, until = self._needs.get(run, (0.0, 0.0))
        if now >= until:
            peak = _peak(connection, run, slot.device)
            need = slot.processes * max(peak, _past(connection, run, slot))
            self._needs = {key: each for key, each in self._needs.items() if each[1] > now}
            self._needs[run] = need, now + KNOWN_SECONDS
        return need


def _peak(connection: StoreConnection, run: str, device: str) -> float:
    column = "process_gpu_memory_mib" if device == "cuda" else "process_memory_mib"
    row = connection.row(f"SELECT max({column}) FROM telemetry WHERE run = ?", (run,))  # noqa: S608
    return float(row[0]) if row and row[0] is not None else 0.0


def _past(connection: StoreConnection, run: str, slot: Slot) -> float:
    row = connection.row("SELECT spec FROM specs WHERE run = ?", (run,))
    try:
        spec = RunSpec.model_validate_json(row[0]) if row else None
    except ValidationError:
        return 0.0  # its worker says what is wrong with it
    cost = estimate_from_past(connection, spec, [slot]) if spec else None
    return cost.memory_mib or 0.0 if cost else 0.0
