"""How fast a run trains, and for how much of its time its GPUs did nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.store import series


def interactions_per_second(
    started: Mapping[str, Any], train_seconds: float | None
) -> float | None:
    """Return the interactions that a run trains on in a second: those of its training split,
    divided by the time in which an epoch goes through them, without evaluation.

    Args:
        started: fields of the journal's ``start``.
        train_seconds: median training time of an epoch; ``None`` before the first has ended.

    Returns:
        ``None`` where either isn't known: runs of before don't record the interactions.
    """
    interactions = started.get("train_interactions")
    if not isinstance(interactions, int) or not train_seconds:
        return None
    return interactions / train_seconds


@dataclass(frozen=True, slots=True)
class GpuIdle:
    """For which share of a run's time each of its GPUs ran no kernel, 0 to 1; of no process: one
    that others keep busy isn't idle."""

    by_gpu: tuple[float, ...]

    @property
    def share(self) -> float:
        """The mean over the GPUs."""
        return sum(self.by_gpu) / len(self.by_gpu)

    @property
    def words(self) -> str:
        """For example ``GPU idle 37 % of the time``; of several, also each."""
        if len(self.by_gpu) == 1:
            return f"GPU idle {self.share:.0%} of the time".replace("%", " %")
        each = ", ".join(f"{share:.0%}" for share in self.by_gpu)
        text = f"{len(self.by_gpu)} GPUs idle {self.share:.0%} of the time ({each})"
        return text.replace("%", " %")


def gpu_idle(con: sqlite3.Connection, run_id: str) -> GpuIdle | None:
    """Read for how much of a run's time its GPUs were idle, by the samples of all its attempts;
    ``None`` if no sample tells, as on the CPU."""
    means = series.mean_utilization(con, run_id)
    return GpuIdle(tuple(1 - mean / 100 for mean in means)) if means else None
