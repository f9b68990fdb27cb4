"""What a resident worker says of how fast its runs train together."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import pytest

from engine.inbox import WorkerFolder, WorkerState
from engine.worker.resident.pace import Pace

STEP = 0.05
ONE = {"a": 400.0}
FOUR = {"a": 400.0, "b": 100.0, "c": 400.0, "d": 250.0}
MORE = dict.fromkeys("efgh", 40.0)
"""Whose updates take ten times as long as those of others."""
EVEN_FASTER = [1, 1.5, 1.8, 2.0, 2.05, 2.1, 2.15, 2.2]
NO_FASTER = [1, 1.5, 1.8, 2.0, 2.0, 2.0, 2.0, 2.0]
SLOWER = [1, 1.5, 1.8, 2.0, 1.9, 1.8, 1.7, 1.6]
"""Speed of all runs together, as a multiple of one run's, by their number."""


class Device:
    """A worker whose runs share a device, on a clock of its own.

    Args:
        folder: of the worker.
        together: speed of all runs, as a multiple of one run's, by their number.
    """

    def __init__(self, folder: Path, together: list[float]) -> None:
        self.worker = WorkerFolder(folder)
        self.now, self.together = 100.0, together
        self.pace = Pace(self.worker, len(together), lambda: None, lambda: self.now)
        self.updates: dict[str, float] = {}

    def train(
        self, seconds: float, speeds: Mapping[str, float], without: Collection[str] = ()
    ) -> WorkerState | None:
        """Train runs for a while.

        Args:
            seconds: how long.
            speeds: updates per second that each makes alone.
            without: runs that load or evaluate meanwhile.

        Returns:
            What the worker says then.
        """
        self.updates = {name: self.updates.get(name, 0.0) for name in speeds}
        active = speeds.keys() - without
        share = self.together[len(active) - 1] / len(active)
        for _ in range(round(seconds / STEP)):
            self.now += STEP
            for name in active:
                self.updates[name] += speeds[name] * share * STEP
            self.pace.look({name: int(made) for name, made in self.updates.items()})
        return self.worker.read_state()

    def wants(
        self, seconds: float, speeds: Mapping[str, float], without: Collection[str] = ()
    ) -> int:
        state = self.train(seconds, speeds, without)
        assert state is not None
        return state.wants


def test_it_says_how_fast_all_are_together(tmp_path: Path) -> None:
    state = Device(tmp_path, EVEN_FASTER).train(3, FOUR)
    assert state is not None
    assert state.runs == 4
    assert state.updates_per_second == pytest.approx(sum(FOUR.values()) / 2, rel=0.05)


def test_it_says_nothing_before_a_run_trains(tmp_path: Path) -> None:
    device = Device(tmp_path, EVEN_FASTER)
    device.pace.look({"a": 0})
    assert device.worker.read_state() is None


@pytest.mark.parametrize(("together", "wants"), [(EVEN_FASTER, 8), (NO_FASTER, 4)])
def test_twice_as_many_are_tried_and_kept_if_they_are_faster(
    tmp_path: Path, together: list[float], wants: int
) -> None:
    """Though the new ones make few updates."""
    device = Device(tmp_path, together)
    assert device.wants(1, FOUR) == 4, "not measured yet"
    assert device.wants(2, FOUR) == 8
    device.train(1, FOUR | MORE, without=MORE)
    assert device.wants(4, FOUR | MORE) == wants


def test_a_run_that_evaluates_says_nothing_of_the_pace(tmp_path: Path) -> None:
    """The others have the device for themselves meanwhile."""
    device = Device(tmp_path, SLOWER)
    device.train(4, FOUR)
    device.train(2, FOUR | MORE)
    device.train(10, FOUR | MORE, without=("a", "e", "f", "g"))
    assert device.wants(1, FOUR | MORE) == 4


def test_a_run_that_loads_is_not_inside_yet(tmp_path: Path) -> None:
    device = Device(tmp_path, NO_FASTER)
    device.train(4, FOUR)
    state = device.train(4, FOUR | MORE, without=MORE)
    assert state is not None
    assert (state.runs, state.wants) == (4, 8)


def test_one_after_another_is_compared_with_those_that_went_on(tmp_path: Path) -> None:
    """Of two spells with a short one between them, too."""
    device = Device(tmp_path, NO_FASTER)
    device.train(4, FOUR)
    device.train(0.6, FOUR | {"e": 40.0})
    assert device.wants(4, FOUR | {"e": 40.0, "f": 90.0}) == 4


def test_runs_with_nothing_in_common_are_not_compared(tmp_path: Path) -> None:
    device = Device(tmp_path, NO_FASTER)
    device.train(4, FOUR)
    assert device.wants(4, dict.fromkeys("efghi", 10.0)) == 8
    assert device.wants(4, ONE) == 4
