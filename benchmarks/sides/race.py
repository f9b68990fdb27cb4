"""The benchmark's end: sides as child processes that are asked in turn, and what each measured."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from benchmarks.common import progress
from benchmarks.sides.pipe import Measured, Ready, Request
from engine.errors import UserError
from engine.scheduling.environment import thread_environment

REPOSITORY = Path(__file__).parents[2]

Kind = Literal["seqbench", "prefix", "recbole"]


@dataclass(frozen=True)
class Entry:
    """A side of one race, before it starts."""

    kind: Kind
    name: str
    label: str
    """Says which race, in progress and errors."""
    python: str
    module: str
    settings: dict[str, Any]
    partial: bool
    """Measured by a number of updates, because an epoch takes too long."""


@dataclass(frozen=True)
class Limits:
    """When a side has measured enough."""

    epochs: int
    seconds: float
    """Of training and evaluation."""
    target: float
    """Validation Recall@10."""
    updates: int
    """Timed ones of a partial side."""
    warm_up: int
    """Updates of a partial side before those."""
    turn_seconds: float
    """Epochs are trained in a row for about so long, so that a quick side takes part in as many
    rounds as a slow one, and what else the machine does meanwhile is shared."""


@dataclass(frozen=True)
class Reached:
    """When a Recall@10 was first reached, or until when it was not."""

    reached: bool
    train_seconds: float
    total_seconds: float
    """Training and evaluation."""


@dataclass
class Track:
    """What one side has measured."""

    entry: Entry
    ready: Ready
    turns: list[Measured] = field(default_factory=list)

    @property
    def epoch_seconds(self) -> float:
        """Training: the median epoch, or the measured updates scaled to an epoch's."""
        if self.entry.partial:
            seconds = sum(turn.train_seconds for turn in self.turns)
            return seconds / self.updates * self.ready.updates_per_epoch
        return statistics.median(turn.train_seconds for turn in self.turns)

    @property
    def evaluation_seconds(self) -> float | None:
        evaluations = [e for turn in self.turns if (e := turn.evaluation_seconds) is not None]
        return statistics.median(evaluations) if evaluations else None

    @property
    def updates(self) -> int:
        return sum(turn.updates for turn in self.turns)

    @property
    def peak_mib(self) -> float:
        return max(turn.peak_mib for turn in self.turns)

    @property
    def best(self) -> float | None:
        return max((r for turn in self.turns if (r := turn.valid_recall) is not None), default=None)

    @property
    def spent(self) -> float:
        return sum(turn.train_seconds + (turn.evaluation_seconds or 0) for turn in self.turns)

    def reach(self, recall: float) -> Reached | None:
        """None where nothing was evaluated."""
        if self.best is None:
            return None
        train = total = 0.0
        for turn in self.turns:
            train += turn.train_seconds
            total += turn.train_seconds + (turn.evaluation_seconds or 0)
            if (turn.valid_recall or 0) >= recall:
                return Reached(True, train, total)
        return Reached(False, train, total)


class Side:
    """A child process."""

    def __init__(self, entry: Entry, folder: Path, threads: int) -> None:
        self._label = entry.label
        self._log = folder / "log.txt"
        folder.mkdir(parents=True)
        environment = {
            **os.environ,
            **thread_environment(threads),
            "PYTHONPATH": str(REPOSITORY),
        }
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [entry.python, "-m", entry.module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=environment,
                cwd=folder,
                start_new_session=True,  # ctrl+c is for the parent, which ends the sides
            )
        self.ready = Ready(**self._ask(entry.settings | {"threads": threads}))

    def ask(self, request: Request) -> Measured:
        return Measured(**self._ask(asdict(request)))

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _ask(self, message: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            lines = self._log.read_text(errors="replace").strip().splitlines()
            raise UserError(f"{self._label} ended: {lines[-1] if lines else 'it wrote nothing.'}")
        return dict(json.loads(answer))


def race(entries: Sequence[Entry], folder: Path, threads: int, limits: Limits) -> list[Track]:
    """Let the sides take turns, one at work at a time, until each has measured enough."""
    with ExitStack() as stack:
        tracks: list[Track] = []
        running: list[tuple[Track, Side]] = []
        for number, entry in enumerate(entries):
            progress(f"{entry.label}: starting")
            side = Side(entry, folder / str(number), threads)
            stack.callback(side.close)
            tracks.append(Track(entry, side.ready))
            running.append((tracks[-1], side))
        if len({track.ready.split for track in tracks}) > 1:
            raise UserError("The sides do not hold out the same validation items.")
        while running:
            for track, side in list(running):
                _take_turn(track, side, limits, tracks)
                if _finished(track, tracks, limits):
                    side.close()
                    running.remove((track, side))
        return tracks


def _take_turn(track: Track, side: Side, limits: Limits, tracks: list[Track]) -> None:
    if track.entry.partial:
        _measure_updates(track, side, limits)
        return
    until = track.spent + limits.turn_seconds
    while True:
        track.turns.append(side.ask(Request()))
        _tell(track, f"epoch {len(track.turns)}")
        if track.spent >= until or _finished(track, tracks, limits):
            return


def _measure_updates(track: Track, side: Side, limits: Limits) -> None:
    """A quarter of the updates."""
    wanted = _wanted_updates(track, limits)
    if not track.turns and limits.warm_up:
        side.ask(Request(updates=limits.warm_up))
    count = min(-(-wanted // 4), wanted - track.updates)
    track.turns.append(side.ask(Request(count, evaluate=track.updates + count >= wanted)))
    _tell(track, f"{track.updates} updates")


def _finished(track: Track, tracks: list[Track], limits: Limits) -> bool:
    if track.entry.partial:
        return track.updates >= _wanted_updates(track, limits)
    epochs = min(limits.epochs, track.ready.most_epochs)
    if len(track.turns) >= epochs or track.spent >= limits.seconds:
        return True
    if (track.best or 0) < limits.target:
        return False
    return track.entry.kind == "recbole" or all(
        _finished(other, tracks, limits) and (track.best or 0) >= (other.best or 0)
        for other in tracks
        if other.entry.kind == "recbole"
    )


def _wanted_updates(track: Track, limits: Limits) -> int:
    """Within one epoch: where it ends, the next one's order would be drawn and counted."""
    return max(1, min(limits.updates, track.ready.updates_per_epoch - limits.warm_up))


def _tell(track: Track, done: str) -> None:
    last = track.turns[-1]
    evaluated = "" if last.evaluation_seconds is None else f" + {last.evaluation_seconds:.2f} s"
    recall = "" if last.valid_recall is None else f", Recall@10 {last.valid_recall:.3f}"
    progress(
        f"{track.entry.label}: {done}, {last.train_seconds:.2f} s{evaluated}{recall}, "
        f"{track.spent:.0f} s so far"
    )


def interpreter(kind: str) -> str:
    """A side's Python. Raises `UserError`."""
    if kind != "recbole":
        return sys.executable
    python = Path(__file__).parent / ".venv" / "bin" / "python"
    if not (python.parents[1] / ".installed").exists():
        raise UserError(
            "RecBole's environment is not there: `make bench-peers` makes it, "
            "and --sides seqbench,prefix goes without."
        )
    return str(python)
