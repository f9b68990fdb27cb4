"""What the Launch screen reads, for its threads, and how a cell of it looks."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui.states import STATES
from tui.text import bytes_
from tui.widgets.grid import CellView, Column, Key

if TYPE_CHECKING:
    from engine.spec import Dataset
    from engine.store.location import StoreLocation
    from engine.store.queries import Cell


@dataclass(frozen=True)
class StoreView:
    """The store as the grid shows it."""

    cells: Mapping[Key, Cell] = field(default_factory=dict)
    present: frozenset[str] = frozenset()
    """Fingerprints of runs that are queued, running or done."""
    problem: str = ""
    seconds: float = 0.0
    """How long reading took."""

    def same_as(self, other: StoreView) -> bool:
        """Whether there is nothing new to show."""
        mine, theirs = ((view.cells, view.present, view.problem) for view in (self, other))
        return mine == theirs


def read_store(location: StoreLocation) -> StoreView:
    """Read all cells; an absent store is an empty one. Raises `StoreError`."""
    from engine.store.connect import connect_reader
    from engine.store.queries import cells, present_fingerprints

    if not location.db.exists():
        return StoreView()
    began = time.monotonic()
    connection = connect_reader(location)
    try:
        found, present = cells(connection), present_fingerprints(connection)
    finally:
        connection.close()
    return StoreView(found, frozenset(present), seconds=time.monotonic() - began)


@contextmanager
def epoch_pace(location: StoreLocation) -> Iterator[Callable[[str, str, int], float | None]]:
    """How long an epoch of a cell took in past runs, in seconds. Raises `StoreError`."""
    from engine.store.connect import connect_reader
    from engine.store.queries import mean_epoch_seconds

    if not location.db.exists():
        yield lambda *_: None
        return
    connection: sqlite3.Connection = connect_reader(location)
    try:
        yield lambda model, dataset, length: mean_epoch_seconds(connection, model, dataset, length)
    finally:
        connection.close()


def cell_view(cell: Cell) -> CellView:
    """The most pressing state of a cell's runs, and the figure that says most about it."""
    state = next((state for state in STATES if cell.counts.get(state)), "never")
    runs, done = cell.counts.get(state, 0), cell.counts.get("done", 0)
    figure = "" if cell.best_ndcg is None else f"{cell.best_ndcg:.4f}".removeprefix("0")
    if state == "running":
        progress = "" if cell.progress is None else f"{cell.progress:.0%}"
        return CellView(state, f"{progress} {figure}".strip())
    if state == "done":
        return CellView(state, figure + (f" ×{done}" if done > 1 else ""))
    return CellView(state, figure or (f"×{runs}" if runs > 1 else ""))


def data_columns(datasets: Sequence[Dataset], ready: Mapping[str, bool] | None) -> list[Column]:
    """Column headers; ``ready`` is ``None`` while nobody looked yet."""
    return [Column(dataset.name, *_note(dataset, ready)) for dataset in datasets]


def _note(dataset: Dataset, ready: Mapping[str, bool] | None) -> tuple[str, str]:
    if ready is None:
        return "", "$text-muted"
    if ready.get(dataset.name):
        return "✓ ready", "$state-done"
    if dataset.archive is not None:
        return f"↓ {bytes_(dataset.archive.bytes)}", "$accent"
    return "not here", "$text-disabled"
