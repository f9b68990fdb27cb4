"""When this machine will have worked off the queue, from estimates of its runs."""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf

from engine.errors import UserError
from engine.lifecycle import UNDER_WAY
from engine.lifecycle import sql as states_sql
from engine.machine.estimates import CostEstimate, cost_key, estimate_from_past
from engine.machine.occupancy import slots_of
from engine.machine.slots import Slot
from engine.machine.together import makespan, shares, slowdown
from engine.store.database import fetch
from engine.store.queries import Run, run_spec, supervisor_state

KEPT_SECONDS = 30.0
"""Seconds after which an estimate is made again."""

MOST_KINDS = 100
"""Most different settings that are estimated: each takes milliseconds."""


@dataclass(frozen=True, slots=True)
class QueueEnd:
    """How long this machine's training and queued runs still take together."""

    seconds: float
    at_most: bool
    """Whether it is an upper bound: early stopping is foreseen only from runs that have ended."""
    unknown: int
    """Runs that aren't counted: no run like them has trained an epoch here or was measured."""


class Forecast:
    """Forecasts the end of one store's queue; keeps what runs are expected to cost meanwhile."""

    def __init__(self, measured: Mapping[str, CostEstimate] | None = None) -> None:
        """Forecast from past runs, or where there are none like a run, from what was measured.

        Args:
            measured: costs by `engine.machine.estimates.cost_key`; it may grow.
        """
        self._measured = measured if measured is not None else {}
        self._settings: dict[str, str] = {}
        """By run that trains or waits here: equal for runs that differ in seed only."""
        self._costs: dict[str, CostEstimate | None] = {}
        """By settings."""
        self._made = -inf

    def look(
        self, con: sqlite3.Connection, running: Sequence[Run], waiting: Sequence[Run], now: float
    ) -> QueueEnd | None:
        """Forecast the end; ``None`` if no supervisor works on this machine, or nothing is known.

        Args:
            waiting: in the order of the queue.
            now: seconds since 1970.
        """
        supervisor = supervisor_state(con)
        if supervisor is None or supervisor.host != socket.gethostname() or not supervisor.slots:
            return None
        slots = slots_of(supervisor)
        here = [run for run in (*running, *waiting) if run.launcher is None]
        self._estimate(con, here, slots, now)
        devices = shares(slots)
        training = sum(run.launcher is None for run in running)
        slower = slowdown(training / len(devices)) if max(devices) > 1 else 1.0
        times = [_seconds_left(run, self._costs.get(self._settings[run.id]), now, slower)
                 for run in here if run.id in self._settings]  # fmt: skip
        known = [time for time in times if time is not None]
        if not known:
            return None
        # Runs that another supervisor started may be more than there are slots.
        devices += [1] * (training - len(slots))
        usual = [usual for usual, _ in known if usual is not None]
        at_most = len(usual) < len(known)
        seconds = makespan([most for _, most in known] if at_most else usual, devices)
        return QueueEnd(seconds, at_most, len(running) + len(waiting) - len(known))

    def _estimate(
        self, con: sqlite3.Connection, runs: Sequence[Run], slots: Sequence[Slot], now: float
    ) -> None:
        """Estimate the runs of settings that weren't, or all again after `KEPT_SECONDS`."""
        if not all(run.id in self._settings for run in runs):
            sql = f"SELECT id, settings FROM runs WHERE state IN {states_sql(UNDER_WAY)}"  # noqa: S608
            self._settings = {row[0]: row[1] for row in fetch(con, sql)}
        if abs(now - self._made) > KEPT_SECONDS:
            self._costs, self._made = {}, now
        for run in runs:
            settings = self._settings.get(run.id)
            if settings is None or settings in self._costs or len(self._costs) >= MOST_KINDS:
                continue
            try:
                spec = run_spec(con, run.id)
                past = estimate_from_past(con, spec, slots)
                self._costs[settings] = past or self._measured.get(cost_key(spec))
            except UserError:  # of another version
                self._costs[settings] = None


def _seconds_left(
    run: Run, cost: CostEstimate | None, now: float, slower: float
) -> tuple[float | None, float] | None:
    """Return how long a run usually takes from now on, if that is known, and at most; ``None`` if
    neither is. Both are what it would take with a device for itself.

    Args:
        slower: how many times as long a run in training takes, because of others on its device.
    """
    most = run.eta_seconds
    if most is not None:
        most /= slower
    elif cost is not None and run.epochs:
        most = max(0, run.epochs - (run.epoch or 0)) * cost.epoch_seconds
    if most is None:
        return None
    usual = cost.run_seconds if cost is not None else None
    if usual is None:
        return None, most
    passed = now - run.started if run.state == "running" and run.started is not None else 0.0
    return min(max(usual - passed / slower, 0.0), most), most
