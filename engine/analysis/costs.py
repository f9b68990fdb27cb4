"""Costs of cells: time, memory, parameters and inference speed, over seeds."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from engine.analysis.columns.definitions import Kind
from engine.analysis.labels.words import cell_title
from engine.analysis.pairs.cells import RankedCell
from engine.analysis.refits import is_refit
from engine.marks import of_times
from engine.spread import Spread, spread
from engine.store.costs.runs import RunCosts, run_costs


@dataclass(frozen=True, slots=True)
class Cost:
    """One kind of cost, such as training time or peak memory."""

    field: str
    """Field of `RunCosts`; ``parameters`` is a column of the run itself."""
    title: str
    unit: str
    kind: Kind
    better: Literal["higher", "lower"] = "lower"
    exact: bool = False
    """Whether the configuration alone determines it, so that it doesn't vary over seeds."""
    of_energy: bool = False
    """Whether it is comparable only where the energy is of the same devices."""

    @property
    def heading(self) -> str:
        """The title, with the unit if the title doesn't say it."""
        return f"{self.title}, {self.unit}" if self.unit and "/" not in self.unit else self.title


TO_BEST = Cost("seconds_to_best", "Training to the chosen epoch", "s", "seconds")
EPOCH = Cost("epoch_seconds", "Training per epoch", "s", "real")
EPOCH_CPU = Cost("cpu_seconds", "CPU time per epoch", "s", "seconds")
PARAMETERS = Cost("parameters", "Parameters", "", "whole", exact=True)
GPU_MEMORY = Cost("gpu_memory_mib", "Peak GPU memory", "MiB", "whole")
HOST_MEMORY = Cost("host_memory_mib", "Peak memory of the process", "MiB", "whole")
ENERGY = Cost("joules_per_epoch", "Energy per epoch", "J", "real", of_energy=True)
ENERGY_TO_BEST = replace(ENERGY, field="joules_to_best", title="Energy to the chosen epoch")
SPEED_1 = Cost("users_per_second_1", "Users/s at batch size 1", "users/s", "whole", "higher")
SPEED_256 = Cost("users_per_second_256", "Users/s at batch size 256", "users/s", "whole", "higher")

COSTS = (
    TO_BEST, EPOCH, EPOCH_CPU, ENERGY_TO_BEST, ENERGY, PARAMETERS, GPU_MEMORY, HOST_MEMORY,
    SPEED_1, SPEED_256,
)  # fmt: skip


@dataclass(frozen=True)
class CostedCell:
    """A cell with the costs of each of its runs."""

    cell: RankedCell
    costs: tuple[RunCosts, ...]
    """In the order of the cell's runs."""

    @property
    def label(self) -> str:
        return self.cell.label

    @property
    def differs(self) -> str:
        """What distinguishes it from other cells of its model and length; empty if nothing does."""
        return self.label.removeprefix(cell_title(self.cell.cell, "")).strip()

    @property
    def place(self) -> frozenset[tuple[str, str]]:
        """Devices and number types of its runs: times are comparable only where these are equal."""
        return frozenset((str(run["device"]), str(run["dtype"])) for run in self.cell.runs)

    @property
    def energy_of(self) -> frozenset[str | None]:
        """What is in the energy of its runs (`RunCosts.joules_of`)."""
        return frozenset(each.joules_of for each in self.costs)

    @property
    def disturbed(self) -> bool:
        """Whether a run is marked (`engine.marks`): something else affected its times or memory."""
        return any(of_times(run["marks"]) for run in self.cell.runs)

    @property
    def is_refit(self) -> bool:
        """Whether its runs were trained with validation included."""
        return is_refit(self.cell.runs[0])

    def values(self, cost: Cost) -> tuple[float, ...]:
        """Return the cost of each run; empty if any run lacks it."""
        if cost is PARAMETERS:
            found = [run["Model/TotalParams"] for run in self.cell.runs]
        else:
            found = [getattr(each, cost.field) for each in self.costs]
        known = [float(value) for value in found if isinstance(value, int | float)]
        return tuple(known) if len(known) == len(found) else ()

    def spread(self, cost: Cost) -> Spread | None:
        """Return mean and deviation over seeds; None if any run lacks the cost."""
        return spread(self.values(cost))


def costed(con: sqlite3.Connection, cells: Sequence[RankedCell]) -> list[CostedCell]:
    """Read the costs of the runs of each cell."""
    ids = [str(run["run"]) for cell in cells for run in cell.runs]
    known = run_costs(con, ids)
    nothing = RunCosts(None, None, None, None, None, None)
    return [
        CostedCell(cell, tuple(known.get(str(run["run"]), nothing) for run in cell.runs))
        for cell in cells
    ]


def known_costs(cells: Sequence[CostedCell]) -> tuple[Cost, ...]:
    """Return the costs that any of the cells has; those of the host only where none has GPU
    memory."""
    found = [cost for cost in COSTS if any(each.values(cost) for each in cells)]
    of_host = (EPOCH_CPU, HOST_MEMORY) if GPU_MEMORY in found else ()
    return tuple(cost for cost in found if cost not in of_host)
