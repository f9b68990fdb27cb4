"""The benchmark's end: sides as child processes that are asked in turn, and what each measured."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from benchmarks.common import progress
from benchmarks.sides.pipe import Measured, Ready
from engine.errors import UserError
from engine.machine.environment import thread_environment

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


@dataclass(frozen=True)
class Limits:
    """When a side has measured enough."""

    seconds: float
    """Of training and evaluation."""
    target: float
    """Validation Recall@10."""
    turn_seconds: float = 5.0
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
        """Training: the median epoch."""
        return statistics.median(turn.train_seconds for turn in self.turns)

    @property
    def evaluation_seconds(self) -> float:
        return statistics.median(turn.evaluation_seconds for turn in self.turns)

    @property
    def peak_mib(self) -> float:
        return max(turn.peak_mib for turn in self.turns)

    @property
    def best(self) -> float:
        return max((turn.valid_recall for turn in self.turns), default=0.0)

    @property
    def spent(self) -> float:
        return sum(turn.train_seconds + turn.evaluation_seconds for turn in self.turns)

    def reach(self, recall: float) -> Reached:
        train = total = 0.0
        for turn in self.turns:
            train += turn.train_seconds
            total += turn.train_seconds + turn.evaluation_seconds
            if turn.valid_recall >= recall:
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

    def train_epoch(self) -> Measured:
        return Measured(**self._ask({}))

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
    until = track.spent + limits.turn_seconds
    while True:
        track.turns.append(side.train_epoch())
        _tell(track)
        if track.spent >= until or _finished(track, tracks, limits):
            return


def _finished(track: Track, tracks: list[Track], limits: Limits) -> bool:
    if len(track.turns) >= track.ready.most_epochs or track.spent >= limits.seconds:
        return True
    if track.best < limits.target:
        return False
    return track.entry.kind == "recbole" or all(
        _finished(other, tracks, limits) and track.best >= other.best
        for other in tracks
        if other.entry.kind == "recbole"
    )


def _tell(track: Track) -> None:
    last = track.turns[-1]
    progress(
        f"{track.entry.label}: epoch {len(track.turns)}, {last.train_seconds:.2f} s "
        f"+ {last.evaluation_seconds:.2f} s, Recall@10 {last.valid_recall:.3f}, "
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
