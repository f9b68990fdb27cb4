"""The app on a real terminal, against its budgets: bytes, processor time, and how soon it paints.

``make bench-terminal``. Every time is also told as a multiple of an empty app's start, which is
measured by turns with ours: a machine that is busy, or slow, makes both longer. The store has very
many runs. Where runs only have to report, stand-ins do (see `benchmarks.standin`); where cores have
to be taken, models train.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import psutil
import torch

from benchmarks.bigstore import make_store
from benchmarks.common import machine, progress, run, table
from benchmarks.lab import (
    PATIENCE,
    SIZE,
    Terminal,
    empty_app,
    read_marks,
    set_pace,
    supervised,
    wait_for,
    watched_app,
)
from benchmarks.load import percentile, watch_live, watched
from engine.config import load_catalogue
from engine.errors import TrainingError
from engine.limits import process_limits
from engine.store.location import StoreLocation
from engine.store.requests import enqueue
from engine.supervisor.start import SUPERVISOR

WORKERS = 4
LINES_PER_SECOND = 20
TICK_SECONDS = 0.5
"""The rhythm in which journals are read, and so in which anything new comes."""

OPENINGS = 7
SETTLE_SECONDS = 5.0
KEYS = 200
"""Of each kind: arrows over the grid, and from one screen to another."""
SORTS = 10
PAGES = 40
PAGE_DOWN = "\x1b[6~"

Mark = Mapping[str, Any]
Row = tuple[str, str, str, str]
"""What, how much, as a multiple of an empty app's start, and the budget."""


@dataclass
class Keyboard:
    """Presses keys of an app that marks its paints, and says how long each took to show."""

    terminal: Terminal
    marks: Path
    _read: int = 0

    def until(self, keys: str, shows: Callable[[Mark], object], what: str) -> float:
        """Seconds from the press to the first later paint that shows it."""
        self._new()
        began = time.time()
        self.terminal.press(keys)
        while True:
            for mark in self._new():
                if shows(mark):
                    return float(mark["t"]) - began
            if time.time() - began > PATIENCE:
                raise TrainingError("error", f"Waited {PATIENCE:.0f} s in vain for {what}.")
            time.sleep(0.002)

    def last(self) -> Mark:
        """What was painted last."""
        return read_marks(self.marks)[-1]

    def _new(self) -> list[Mark]:
        """Marks since the last call; only what was added is read."""
        with self.marks.open() as file:
            file.seek(self._read)
            text = file.read()
        whole = text[: text.rfind("\n") + 1]
        self._read += len(whole.encode())
        return [json.loads(line) for line in whole.splitlines()]


class Painted(NamedTuple):
    """Seconds from the start of an app's process to a paint: on the clock, and of CPU time."""

    clock: float
    cpu: float


@dataclass
class Starts:
    """An entry of each start of an app."""

    empty: list[Painted] = field(default_factory=list)
    """The first paint of an empty app."""
    first: list[Painted] = field(default_factory=list)
    """The same of ours."""
    cells: list[Painted] = field(default_factory=list)
    """The first paint of the store's cells."""
    opened: list[float] = field(default_factory=list)
    """Seconds from a key to the first paint of a screen that wasn't open before; two of each
    start."""


def starts(location: StoreLocation, marks: Path, times: int) -> Starts:
    """Start an empty app and ours by turns, and open ours' other screens once it is at rest. The
    first start, which compiles modules and has nothing kept of an earlier one, isn't counted."""
    found = Starts()
    for number in range(times + 1):
        with empty_app(marks) as terminal:
            wait_for(lambda: read_marks(marks), "the empty app")
            empty = _painted(terminal, read_marks(marks)[0])
        with watched_app(location, marks) as terminal:
            wait_for_store(marks)
            all_marks = read_marks(marks)
            first, cells = all_marks[0], next(mark for mark in all_marks if mark.get("cells"))
            time.sleep(SETTLE_SECONDS)
            opened = screens(Keyboard(terminal, marks), 2)
        if number:
            found.empty.append(empty)
            found.first.append(_painted(terminal, first))
            found.cells.append(_painted(terminal, cells))
            found.opened += opened
    return found


def _painted(terminal: Terminal, mark: Mark) -> Painted:
    return Painted(mark["t"] - terminal.started, mark["cpu"])


def arrows(keyboard: Keyboard, keys: int) -> list[float]:
    """Down and up over the grid of the Launch screen, whose cursor must move."""
    taken = []
    for number in range(keys):
        before = keyboard.last()["cursor"]
        taken.append(
            keyboard.until(
                "\x1b[A" if number % 2 else "\x1b[B",
                lambda mark: mark.get("cursor", before) != before,  # noqa: B023
                "the cursor",
            )
        )
    return taken


def screens(keyboard: Keyboard, keys: int) -> list[float]:
    """From one screen to the next, each of which was open before."""
    names = (("2", "LiveScreen"), ("3", "CompareScreen"), ("1", "LaunchScreen"))
    taken = []
    for number in range(keys):
        key, name = names[number % len(names)]
        taken.append(keyboard.until(key, lambda mark: mark["screen"] == name, name))  # noqa: B023
    return taken


def opened_table(keyboard: Keyboard) -> float:
    """From the press of the Compare screen's key to its first rows."""
    return keyboard.until("3", lambda mark: mark.get("rows"), "the table")


def sorts(keyboard: Keyboard, times: int) -> list[float]:
    """By the column under the cursor, one way and the other."""
    return [_other_rows(keyboard, "s", "another order") for _ in range(times)]


def pages(keyboard: Keyboard, times: int) -> list[float]:
    """A page on: into rows that mostly aren't held yet."""
    keyboard.terminal.press(PAGE_DOWN)  # moves the cursor to the last row in sight, and no page
    time.sleep(SETTLE_SECONDS)
    return [_other_rows(keyboard, PAGE_DOWN, "the next page") for _ in range(times)]


def _other_rows(keyboard: Keyboard, key: str, what: str) -> float:
    before = keyboard.last().get("rows")
    return keyboard.until(key, lambda mark: mark.get("rows", before) != before, what)


@contextmanager
def training(location: StoreLocation, workers: int) -> Iterator[None]:
    """So many models train, each on a core of its own."""
    catalogue = load_catalogue()
    settings: dict[str, str | int | float | bool] = {"epochs": 10_000, "patience": 10_000}
    enqueue(
        location,
        [catalogue.run_spec("sasrec", "synthetic", 50, seed, "reference", settings)
         for seed in range(workers)],
    )  # fmt: skip
    with supervised(location, workers, SUPERVISOR):
        wait_for(lambda: psutil.cpu_percent(1.0) > 90, "training on every core")
        yield


def start_rows(found: Starts) -> Iterator[Row]:
    """How soon the app paints, beside an empty one."""
    yield "an empty app: process start to first paint", _seconds(found.empty), "×1.00", ""
    for what, taken, budget in (
        ("first paint", found.first, "≤ ×1.25"),
        ("the store's cells", found.cells, "≤ ×1.7"),
    ):
        pairs = list(zip(taken, found.empty, strict=True))
        clock = median(ours.clock / one.clock for ours, one in pairs)
        cpu = median(ours.cpu / one.cpu for ours, one in pairs)
        yield f"process start to {what}", _seconds(taken), f"×{clock:.2f} (×{cpu:.2f})", budget
    empty = median(one.clock for one in found.empty)
    yield _times("first opening of a screen", found.opened, empty, "≤ 150 ms at 95 %")


def _seconds(taken: Sequence[Painted]) -> str:
    """Write medians on the clock and, in brackets, of CPU time."""
    clock, cpu = (median(seconds) for seconds in zip(*taken, strict=True))
    return f"{clock:.2f} s ({cpu:.2f} s of CPU time)"


def budget_rows(
    location: StoreLocation,
    supervisor: psutil.Process,
    marks: Path,
    seconds: float,
    empty: float,
) -> Iterator[Row]:
    """All figures but those of starts and under load, on a store that is worked; in minutes.

    Args:
        empty: seconds that an empty app takes to its first paint.
    """
    with watched_app(location, marks) as terminal:
        progress("The table ...")
        yield from table_rows(Keyboard(terminal, marks), empty)
    with watched_app(location, marks) as terminal:
        progress("Four runs report, and the app watches ...")
        set_pace(location, f"steady {LINES_PER_SECOND}")
        watch_live(terminal, marks)
        time.sleep(SETTLE_SECONDS)
        found = watched(location, supervisor, terminal, marks, seconds)
        size = f"{SIZE[1]} × {SIZE[0]}, {WORKERS} live runs"
        tick = found.bytes_a_second * TICK_SECONDS
        yield f"bytes a tick ({TICK_SECONDS} s), {size}", f"{tick / 1e3:.1f} kB", "", "≤ 5 kB"
        yield "watching: share of a core", f"{found.app:.1%}", "", "≤ 4 %"


def table_rows(keyboard: Keyboard, empty: float) -> Iterator[Row]:
    """Opening, sorting and scrolling the table of the Compare screen."""
    wait_for_store(keyboard.marks)
    opened = opened_table(keyboard)
    yield "table: open", f"{opened:.2f} s", f"×{opened / empty:.2f}", "≤ 0.5 s"
    yield _times("table: sort", sorts(keyboard, SORTS), empty, "≤ 100 ms")
    yield _times("table: scroll a page", pages(keyboard, PAGES), empty, "≤ 30 ms")


def wait_for_store(marks: Path) -> None:
    """Until the Launch screen shows the cells of the store."""
    wait_for(lambda: any(mark.get("cells") for mark in read_marks(marks)), "the store's cells")


def loaded_rows(folder: Path, keys: int, empty: float) -> Iterator[Row]:
    """Keys while training takes every core."""
    cores = process_limits().cores
    location = StoreLocation(folder / "runs.db")
    progress("Models train on every core ...")
    marks = folder / "marks"
    with training(location, cores), watched_app(location, marks) as terminal:
        keyboard = Keyboard(terminal, marks)
        wait_for_store(marks)
        screens(keyboard, 3)
        psutil.cpu_percent()
        moved, switched = arrows(keyboard, keys), screens(keyboard, keys)
        busy = psutil.cpu_percent()
    budget = "≤ 50 ms, ≤ 100 ms"
    what = f"key to paint, {busy:.0f} % of {cores} cores taken: cursor"
    yield _times(what, moved, empty, budget)
    yield _times("… another screen", switched, empty, budget)


def _times(what: str, taken: list[float], empty: float, budget: str) -> Row:
    middle, late = (percentile(taken, share) for share in (0.5, 0.95))
    ratios = f"×{middle / empty:.2f}, ×{late / empty:.2f}"
    return f"{what}, median and 95 %", f"{middle * 1e3:.0f} ms, {late * 1e3:.0f} ms", ratios, budget


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.terminal", description=__doc__)
    parser.add_argument("--finished", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=30.0, help="of watching")
    parser.add_argument("--keys", type=int, default=KEYS, help="of each kind, under load")
    parser.add_argument("--folder", type=Path, help="where the store is made, and left")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as aside:
        folder = options.folder or Path(aside)
        location = StoreLocation((folder / "runs.db").resolve())
        if not location.db.exists():
            progress("Making the store ...")
            make_store(location, WORKERS, options.finished)
        marks = Path(aside) / "marks"
        with supervised(location, WORKERS) as supervisor:
            progress("An empty app and ours, by turns ...")
            began = starts(location, marks, OPENINGS)
            empty = median(one.clock for one in began.empty)
            rows = list(start_rows(began))
            rows += budget_rows(location, supervisor, marks, options.seconds, empty)
        loaded = Path(aside) / "loaded"
        loaded.mkdir()
        rows += loaded_rows(loaded, options.keys, empty)
    load = os.getloadavg()[0]
    print(f"Measured on {machine(torch.device('cpu'))}; load {load:.1f} at the end.\n")
    print(f"A store of {options.finished:,} finished runs.\n")
    print(table(("what", "measured", "of an empty app", "budget"), rows))


if __name__ == "__main__":
    run(main)
