"""Measures how fast the runs of a resident worker train together, and says so in its folder."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from engine.inbox import WorkerFolder, WorkerState
from engine.worker.resident.capacity import Change, gain, wanted

WINDOW_SECONDS = 0.5
"""Time that a window takes at least."""

ENOUGH_SECONDS = 1.0
"""Time with the same runs after which their speeds are known."""

MOST_CHANGES = 100
"""Changes that are remembered."""


@dataclass
class _Spell:
    """A time in which the same runs train, as far as it counts."""

    made: Counter[str] = field(default_factory=Counter)
    """Updates of each run."""
    seconds: float = 0.0

    @property
    def speeds(self) -> dict[str, float]:
        """Updates per second of each run; empty if it was too short to tell."""
        if self.seconds < ENOUGH_SECONDS:
            return {}
        return {name: made / self.seconds for name, made in self.made.items()}


class Pace:
    """The pace of several runs at once.

    Args:
        folder: of the worker.
        most: the most runs at once.
        room: returns the GPU's memory in MiB that the runs can have together, if it is known.
        clock: returns the time in seconds since any moment.
    """

    def __init__(
        self,
        folder: WorkerFolder,
        most: int,
        room: Callable[[], float | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder, self._most, self._room, self._clock = folder, most, room, clock
        self._spell = _Spell()
        self._earlier: Mapping[str, float] = {}
        """Speeds in the last spell that was long enough."""
        self._changes: deque[Change] = deque(maxlen=MOST_CHANGES)
        """From spell to spell, before the present one."""
        self._began = clock()
        self._before: Mapping[str, int] = {}
        self._is_whole = False
        """Whether all runs made updates in the last window of the spell."""
        folder.state.unlink(missing_ok=True)

    def look(self, updates: Mapping[str, int]) -> None:
        """Look at the updates so far of each run inside; to be called often.

        A window counts only if in it and in the one before the same runs trained and all of them
        made updates. What a run does beside them, preparing them or evaluating, says nothing of
        the pace.
        """
        now, trained = self._clock(), {name: made for name, made in updates.items() if made}
        passed = now - self._began
        if trained.keys() != self._before.keys():
            self._begin_spell()
        elif passed < WINDOW_SECONDS:
            return
        elif trained:
            made = {name: trained[name] - self._before[name] for name in trained}
            was_whole, self._is_whole = self._is_whole, min(made.values()) > 0
            if was_whole and self._is_whole:
                self._spell.made.update(made)
                self._spell.seconds += passed
            self._say(len(made), sum(made.values()) / passed, now)
        self._began, self._before = now, trained

    def _begin_spell(self) -> None:
        self._changes.extend(self._last_change(self._began))
        self._earlier = self._spell.speeds or self._earlier
        self._spell, self._is_whole = _Spell(), False

    def _last_change(self, now: float) -> list[Change]:
        """Return the change to the present spell, if there is one and its speeds are known."""
        before, after = self._earlier, self._spell.speeds
        if len(before) == len(after) or not before.keys() & after.keys():
            return []
        return [Change(now, len(before), len(after), gain(before, after))]

    def _say(self, runs: int, updates_per_second: float, now: float) -> None:
        changes = [*self._changes, *self._last_change(now)]
        measured = self._spell.seconds >= ENOUGH_SECONDS
        wants = wanted(changes, runs, self._most, now=now, measured=measured)
        state = WorkerState(time.time(), runs, updates_per_second, wants, self._room())
        with suppress(OSError):  # the supervisor goes by what it knew
            self._folder.write_state(state)
