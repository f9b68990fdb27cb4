"""What the store and the data sets come to in the grid: contents of cells, headers of columns."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from tui.launch.grid.cells import CellKey, CellView, Column
from tui.shell.states import MARKED, STATES
from tui.shell.text import bytes_

if TYPE_CHECKING:
    from engine.spec import Dataset
    from engine.spread import Spread
    from engine.store.places import LaunchCell


class StoreView(NamedTuple):
    """The store as the grid shows it."""

    cells: Mapping[CellKey, LaunchCell] = MappingProxyType({})
    present: frozenset[str] = frozenset()
    """Fingerprints of runs that are queued, running or done."""


def cell_view(cell: LaunchCell, sign: str = "") -> CellView:
    """Show the most pressing state of a cell's runs, what says most about it, and other states.

    Args:
        sign: where its result stands against the floor; shown with the result.
    """
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
        return CellView(state, _score_texts(cell.score), None, others, sign)
    return CellView(state, (several.strip(),) if several else (), None, others)


def _score_texts(score: Spread) -> tuple[str, ...]:
    """Write test NDCG@10 with its deviation over seeds, from the fullest way to the shortest."""
    mean = _figure(score.mean)
    if score.deviation is None:
        return (f"{mean} ×{score.count}", mean) if score.count > 1 else (mean,)
    deviation = _figure(score.deviation)
    short = f"{_figure(score.mean, 3)}±{_figure(score.deviation, 3)}"
    return (
        f"{mean} ± {deviation} ×{score.count}",
        f"{mean} ± {deviation}",
        f"{mean}±{deviation}",
        *([short] if score.deviation >= 0.0005 else []),  # below it .000 would be written
        f"{mean} ×{score.count}",
        mean,
    )


def _figure(value: float, digits: int = 4) -> str:
    return f"{value:.{digits}f}".removeprefix("0")


def data_column(
    dataset: Dataset, ready: Mapping[str, bool] | None, *, other_copy: bool = False
) -> Column:
    """Head a column.

    Args:
        ready: which data sets are here; ``None`` before they were looked for.
        other_copy: whether what is here isn't what the entry says.
    """
    if ready is None:
        return Column(dataset.name)
    if ready.get(dataset.name) and other_copy:
        return Column(dataset.name, f"{MARKED} other copy", "$warning")
    if ready.get(dataset.name):
        return Column(dataset.name, "✓ ready", "$state-done")
    if dataset.archive is not None:
        return Column(dataset.name, f"↓ {bytes_(dataset.archive.bytes)}", "$accent")
    return Column(dataset.name, "not here", "$text-disabled")
