"""What the Launch screen reads, for its threads, and how a cell of it looks."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui.launch.grid.grid import CellView, Column, Key
from tui.shell.states import STATES
from tui.shell.text import bytes_

if TYPE_CHECKING:
    from engine.machine.estimates import CostEstimate
    from engine.machine.slots import Slot
    from engine.spec import Dataset, RunSpec
    from engine.spread import Spread
    from engine.store.location import StoreLocation
    from engine.store.queries import LaunchCell


@dataclass(frozen=True)
class StoreView:
    """The store as the grid shows it."""

    cells: Mapping[Key, LaunchCell] = field(default_factory=dict)
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
    from engine.store.queries import launch_cells, present_fingerprints

    if not location.db.exists():
        return StoreView()
    began = time.monotonic()
    connection = connect_reader(location)
    try:
        found, present = launch_cells(connection), present_fingerprints(connection)
    finally:
        connection.close()
    return StoreView(found, frozenset(present), seconds=time.monotonic() - began)


@contextmanager
def past_costs(
    location: StoreLocation, slots: Sequence[Slot], measured: Mapping[str, CostEstimate]
) -> Iterator[Callable[[RunSpec], CostEstimate | None]]:
    """What a run costs in one of the slots: from past runs, else as measured before.

    Raises `StoreError`.
    """
    from engine.machine.estimates import cost_key, estimate_from_past
    from engine.store.connect import connect_reader

    with ExitStack() as stack:
        connection: sqlite3.Connection | None = None
        if slots and location.db.exists():
            connection = stack.enter_context(closing(connect_reader(location)))

        def cost_of(spec: RunSpec) -> CostEstimate | None:
            past = estimate_from_past(connection, spec, slots[0]) if connection else None
            return past or measured.get(cost_key(spec))

        yield cost_of


def cell_view(cell: LaunchCell) -> CellView:
    """The most pressing state of a cell's runs, what says most about it, and the other states."""
    states = [state for state in STATES if cell.counts.get(state)]
    if not states:
        return CellView()
    state, runs = states[0], cell.counts[states[0]]
    others = tuple((other, cell.counts[other]) for other in states[1:])
    several = f" ×{runs}" if runs > 1 else ""
    if state == "running":
        progress = cell.progress or 0.0
        return CellView(state, (f" {progress:.0%}{several}", f" {progress:.0%}"), progress, others)
    if state == "done" and cell.score is not None:
        return CellView(state, _score_texts(cell.score), None, others)
    return CellView(state, (several.strip(),) if several else (), None, others)


def _score_texts(score: Spread) -> tuple[str, ...]:
    """Test NDCG@10 with its spread over seeds, from the fullest way to the shortest."""
    mean = _figure(score.mean)
    if score.deviation is None:
        return (f"{mean} ×{score.count}", mean) if score.count > 1 else (mean,)
    spread = _figure(score.deviation)
    short = f"{_figure(score.mean, 3)}±{_figure(score.deviation, 3)}"
    return (
        f"{mean} ± {spread} ×{score.count}",
        f"{mean} ± {spread}",
        f"{mean}±{spread}",
        *([short] if score.deviation >= 0.0005 else []),  # a spread of .000 would be none
        f"{mean} ×{score.count}",
        mean,
    )


def _figure(value: float, digits: int = 4) -> str:
    return f"{value:.{digits}f}".removeprefix("0")


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
