"""What the Launch screen reads, in threads: runs, where data is, plans, costs of runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from engine.analysis.floor import SIGN, beside_floor, floors
from engine.analysis.labels.stored import stored_labels
from engine.cell import Cell
from engine.config import Catalogue
from engine.datasets.confirm import confirm
from engine.datasets.locate import is_ready
from engine.errors import UsageError
from engine.machine.estimates import CostEstimate, MeasuringProcess, cost_key
from engine.machine.slots import Slot
from engine.order import Order
from engine.planning import Plan, plan_in_store, samples
from engine.store.compare.grouping import Choice, cells_of_places
from engine.store.connect import connect_reader
from engine.store.location import StoreLocation
from engine.store.places import newest_runs_of_place
from tui.launch.cell_runs import ListedRun
from tui.launch.grid.cells import CellKey

if TYPE_CHECKING:
    from engine.analysis.pairs.standings import FloorTest

__all__ = [
    "CostEstimate",
    "MeasuringProcess",
    "Slot",
    "cost_key",
    "count_parameters",
    "plan_order",
    "read_floor",
    "read_other_copies",
    "read_ready",
    "read_runs",
    "read_signs",
]


MOST_LISTED = 100
"""Runs of a cell that are listed."""


def read_runs(
    location: StoreLocation, catalogue: Catalogue | None, key: CellKey
) -> list[ListedRun]:
    """Read the newest runs of a cell, each with what tells its settings from the others'.

    Raises:
        StoreError: a store that can't be read.
    """
    if not location.db.exists():
        return []
    with closing(connect_reader(location)) as connection:
        runs = newest_runs_of_place(connection, key, MOST_LISTED)
        labels = stored_labels(connection, {run.cell: run.id for run in runs}, catalogue)
    return [
        ListedRun(run.id, run.state, run.seed, run.score, run.when, labels[run.cell])
        for run in runs
    ]


def read_floor(
    location: StoreLocation,
    catalogue: Catalogue | None,
    key: CellKey,
    kept: dict[object, FloorTest | None],
) -> str:
    """Name the floor of a cell's data set, and say where the cell stands; empty without one.

    Args:
        kept: `engine.analysis.pairs.standings.Standings.kept`, of what was read before.

    Raises:
        StoreError: a store that can't be read.
    """
    if not location.db.exists():
        return ""
    with closing(connect_reader(location)) as connection:
        every = floors(connection, catalogue)
        own = [floor for floor in every if floor.cell.dataset == key[1]]
        if not own:
            return ""
        from engine.analysis.pairs.standings import Standings  # loads numpy: few stores need it

        cells = cells_of_places(connection, Choice(), [key])
        found = Standings(connection, location, own, kept).of(connection, cells)
    return "; ".join(
        beside_floor(floor, [where for of, where in found.values() if of == floor]) for floor in own
    )


def read_signs(
    location: StoreLocation,
    shown: Mapping[CellKey, Cell],
    kept: dict[object, FloorTest | None],
) -> dict[CellKey, str]:
    """Return the signs of results that aren't above the floor of their data set.

    Args:
        shown: the cells whose results they are.
        kept: as for `read_floor`.

    Raises:
        StoreError: a store that can't be read.
    """
    with closing(connect_reader(location)) as connection:
        every = floors(connection)
        if not every:
            return {}
        from engine.analysis.pairs.standings import Standings  # loads numpy: few stores need it

        found = Standings(connection, location, every, kept).of(connection, shown.values())
    signs = {key: SIGN[found[cell][1]] for key, cell in shown.items() if cell in found}
    return {key: sign for key, sign in signs.items() if sign}


def read_other_copies(catalogue: Catalogue) -> dict[str, str]:
    """Find out which data sets here aren't what their entry says, with a sentence each.

    A file is read once; then its times tell that it is the same.
    """
    found = {name: confirm(dataset) for name, dataset in catalogue.datasets.items()}
    return {name: one.sentence for name, one in found.items() if one and one.confirmed is False}


def read_ready(catalogue: Catalogue) -> dict[str, bool]:
    """Find out which data sets are on this machine."""
    return {name: is_ready(dataset) for name, dataset in catalogue.datasets.items()}


def plan_order(
    catalogue: Catalogue,
    order: Order,
    present: frozenset[str],
    location: StoreLocation,
    slots: Sequence[Slot],
    measured: Mapping[str, CostEstimate],
) -> Plan:
    """Plan an order, with what its runs cost in a slot.

    Args:
        present: fingerprints of runs that are queued, running or done.
        measured: costs by `cost_key`.

    Raises:
        UsageError: an order that can't be.
        StoreError: a store that can't be read.
    """
    if not location.db.exists():
        return plan_in_store(None, catalogue, order, present, slots, measured)
    with closing(connect_reader(location)) as connection:
        return plan_in_store(connection, catalogue, order, present, slots, measured)


def count_parameters(catalogue: Catalogue, order: Order, key: CellKey) -> None:
    """Find out a cell's parameters, so that they are known.

    Raises:
        UserError: they can't be found out.
    """
    with suppress(UsageError):  # what is wrong with the order is known then, too
        samples(catalogue, order, key)
