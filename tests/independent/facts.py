"""What a report may say: its cells, which models stand for a data set, and every test."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from .data import Data, read_data
from .figures import LEVEL, Cell, Test, holm, interval, ratio, test
from .runs import NAMES, Run
from .texts import LABEL

TIMES = (
    "Training to the chosen epoch",
    "Training per epoch",
    "CPU time per epoch",
    "Energy to the chosen epoch",
    "Energy per epoch",
    "Peak GPU memory",
    "Peak memory of the process",
    "Users/s at batch size 1",
    "Users/s at batch size 256",
)
"""Costs that vary from run to run."""
OF_HOST = ("CPU time per epoch", "Peak memory of the process")
"""Costs that are told where there is no GPU."""
WORTH = 1.05


class UnsureError(Exception):
    """What is said can't be judged."""


class NoCellError(Exception):
    """What is said is of a cell that there isn't."""


@dataclass
class Facts:
    """The runs that a report is about."""

    every: Sequence[Run]
    metric: str = "ndcg"
    k: int = 10
    masked: bool = False
    meant: dict[str, set[str]] = field(default_factory=dict)
    """Conditions of the report's filter, by field."""
    suite: str | None = None
    asked: Mapping[str, Any] = field(default_factory=dict)
    """What the suite asks for; nothing if that isn't known."""
    named: dict[tuple[str, str, int], set[str]] = field(default_factory=dict)
    """What the report says tells the cells of a model, data set and length apart, where it does."""
    labels: dict[str, set[str]] = field(default_factory=dict)
    """What the report calls the cells of each data set, by its name; under ``""`` what it calls
    cells elsewhere."""
    folder: Path | None = None
    """Where data sets are."""
    _data: dict[str, Data | None] = field(default_factory=dict)

    def means(self, run: Run) -> bool:
        model, dataset, length, profile = run.place
        facts = {"model": model, "dataset": dataset, "length": str(length), "profile": profile,
                 "seed": str(run.spec["seed"]), "state": run.state, "suite": run.suite or "",
                 "refits": run.spec.get("refits", "")}  # fmt: skip
        named = all(
            facts[name] in values or ("*" in values and facts[name])
            for name, values in self.meant.items()
        )
        return bool(named) and (self.suite in (None, run.suite) or self.is_asked(run))

    def is_asked(self, run: Run) -> bool:
        """Whether a run is one that the suite asks for: of its cells and seeds, with the settings
        of a run of the same model that was launched as the suite, if these matter to its model."""
        if not self.asked:
            return run.suite == self.suite
        model, dataset, length, profile = run.place
        own = {"models": model, "datasets": dataset, "lengths": length, "seeds": run.spec["seed"]}
        fitted = run.spec["training"]["objective"] == "fitted" and "refits" not in run.spec
        alike = fitted or any(
            each.suite == self.suite
            and each.place[::3] == (model, profile)
            and all(each.spec[part] == run.spec[part] for part in ("architecture", "training"))
            for each in self.every
        )
        return alike and all(value in self.asked[name] for name, value in own.items())

    @property
    def runs(self) -> list[Run]:
        return [run for run in self.every if "trial" not in run.spec and self.means(run)]

    @property
    def trials(self) -> list[Run]:
        """The trials of all studies."""
        return [run for run in self.every if "trial" in run.spec]

    @property
    def done(self) -> list[Run]:
        return [run for run in self.runs if run.state == "done"]

    def data_of(self, run: Run) -> Data | None:
        """The data that a run was trained on; None if it can't be read."""
        source, refit = run.spec["source"], "refits" in run.spec
        key = json.dumps([source, refit], sort_keys=True)
        if key not in self._data:
            read = self.folder and read_data(self.folder, source, with_validation=refit)
            self._data[key] = read or None
        return self._data[key]

    @cached_property
    def cells(self) -> list[Cell]:
        """Of each seed the newest run."""
        newest: dict[Any, dict[int, Run]] = defaultdict(dict)
        for run in sorted(self.done, key=lambda run: run.id):
            newest[run.cell][run.spec["seed"]] = run
        runs = [tuple(seeds[seed] for seed in sorted(seeds)) for seeds in newest.values()]
        places: dict[Any, list[Cell]] = defaultdict(list)
        for some in runs:
            places[some[0].place[:3]].append(Cell(some, some[0].group))
        return [cell for alike in places.values() for cell in self._called(alike)]

    def _called(self, alike: Sequence[Cell]) -> list[Cell]:
        """Find what the report calls cells of one model, data set and length: a name is of the one
        of which it is true, or of the one left once the others have theirs."""
        if len(alike) == 1:
            return [*alike]
        base = f"{alike[0].label} "
        labels = self.labels.get(alike[0].runs[0].place[1]) or set().union(*self.labels.values())
        names = {each.removeprefix(base) for each in labels if each.startswith(base)}
        names = set(self.named.get(alike[0].runs[0].place[:3], names))
        unnamed, called = [*alike], []
        while found := [
            (name, true[0])
            for name in sorted(names)
            if len(true := [cell for cell in unnamed if cell.has(name)]) == 1
        ]:
            name, cell = found[0]
            names.remove(name)
            unnamed.remove(cell)
            called.append(replace(cell, differs=name))
        return [*called, *(replace(cell, differs="?") for cell in unnamed)]

    def group(self, title: str) -> list[Cell]:
        """The cells under a heading: a data set's, or those of one version of its data."""
        name, _, rest = title.partition(", ")
        found = [cell for cell in self.cells if cell.group[0] == name]
        if wanted := re.match(r"data (\w+)", rest):
            found = [cell for cell in found if str(cell.group[1]).startswith(wanted[1])]
        if not found:
            raise UnsureError(f"no cells of {title!r}")
        if len({cell.group for cell in found}) > 1:
            raise UnsureError(f"{title!r} has data of several kinds")
        return found

    def floor(self, group: tuple[Any, ...]) -> Cell | None:
        """The fitted cell that is best on validation, of all runs, whatever the report is about."""
        newest: dict[Any, dict[int, Run]] = defaultdict(dict)
        for run in sorted(self.every, key=lambda run: run.id):
            if run.state == "done" and run.group == group:
                newest[run.cell][run.spec["seed"]] = run
        cells = [Cell(tuple(seeds.values()), group) for seeds in newest.values()]
        fitted = [cell for cell in cells if cell.fitted and not cell.refit]
        best = [(cell.valid("ndcg", False), -cell.runs[0].place[2]) for cell in fitted]
        return fitted[best.index(max(best))] if fitted else None

    def signs(self, group: tuple[Any, ...]) -> dict[str, str]:
        """The signs of the trained cells of a data set, by label: where they stand against their
        floor."""
        floor = self.floor(group)
        if floor is None:
            return {}
        cells = [cell for cell in self.cells if cell.group == group and not cell.fitted]
        base = floor.users("ndcg", False)
        tests = {cell.label: test(cell.users("ndcg", False), base) for cell in cells}
        told = [cell.label for cell in cells if cell.tellable and floor.tellable]
        corrected = dict(zip(told, holm([tests[label].p for label in told]), strict=True))
        return {
            label: "≈" if corrected.get(label, found.p) >= LEVEL else "" if found.mean > 0 else "▽"
            for label, found in tests.items()
        }

    def cell(self, label: str, cells: Sequence[Cell] | None = None) -> Cell:
        """The cell of a label, which may end in a sign."""
        name = re.match(LABEL, label)
        found = [c for c in cells or self.cells if name and c.label == name[0]]
        return self.only(found, label)

    def only(self, found: Sequence[Cell], label: str) -> Cell:
        """The cell that was found for a label; there must be one."""
        if not found and all(cell.differs != "?" for cell in self.cells):
            raise NoCellError(f"no cell is called {label!r}")
        if len(found) != 1:
            raise UnsureError(f"{len(found)} cells are called {label!r}")
        return found[0]

    def users(self, cell: Cell, metric: str = "") -> np.ndarray:
        return cell.users(metric or self.metric, self.masked, self.k)

    def mean(self, cell: Cell) -> float:
        return float(self.users(cell).mean())

    def interval(self, cell: Cell) -> tuple[float, float]:
        """The interval over users of the cell's mean."""
        return interval(self.users(cell))

    def contenders(self, cells: Sequence[Cell]) -> list[Cell]:
        """Of each model and profile the cell that validation prefers, the best first."""
        models: dict[tuple[str, str], list[Cell]] = defaultdict(list)
        for cell in compared(cells):
            models[cell.model].append(cell)
        chosen = [
            max(
                some,
                key=lambda cell: (
                    cell.valid(self.metric, self.masked) or 0.0,
                    -cell.runs[0].place[2],
                ),
            )
            for some in models.values()
        ]
        return sorted(chosen, key=lambda cell: -self.mean(cell))

    def tests(
        self, groups: Sequence[Sequence[Cell]]
    ) -> dict[tuple[str, str, Any], tuple[Test, float | None]]:
        """Test every two cells within each group; p is corrected for all that may be told."""
        both = [pair for cells in groups for pair in combinations(cells, 2)]
        found = [test(self.users(a), self.users(b)) for a, b in both]
        told = [n for n, (a, b) in enumerate(both) if a.tellable and b.tellable]
        corrected = dict(zip(told, holm([found[n].p for n in told]), strict=True))
        tests: dict[tuple[str, str, Any], tuple[Test, float | None]] = {}
        for n, (a, b) in enumerate(both):
            one, p = found[n], corrected.get(n)
            tests[a.label, b.label, a.group] = one, p
            turned = Test(-one.mean, -one.high, -one.low, one.p, -one.effect)
            tests[b.label, a.label, a.group] = turned, p
        return tests

    def of_models(self, cells: Sequence[Cell]) -> dict[tuple[str, str], tuple[Test, float | None]]:
        """The tests between the models of a data set, which are a family of their own."""
        found = self.tests([self.contenders(cells)])
        return {(a, b): value for (a, b, _), value in found.items()}

    @cached_property
    def of_cells(self) -> dict[tuple[str, str, Any], tuple[Test, float | None]]:
        """The tests between every two cells of the report."""
        groups: dict[Any, list[Cell]] = defaultdict(list)
        for cell in self.cells:
            groups[cell.group].append(cell)
        return self.tests(list(groups.values()))

    def costs(self, cells: Sequence[Cell]) -> Iterator[Cost]:
        """Compare what the models of a data set cost, corrected together."""
        chosen = self.contenders(cells)
        raw = []
        for name in TIMES:
            for a, b in combinations(chosen, 2):
                if comparable(a, b, name):
                    ours, theirs = ([run.cost(name) for run in cell.runs] for cell in (a, b))
                    raw.append((name, a, b, ratio(ours, theirs)))
        for (name, a, b, found), p in zip(raw, holm([each[3][3] for each in raw]), strict=True):
            yield Cost(name, a.label, b.label, *found[:3], p)
            value, low, high, _ = found
            yield Cost(name, b.label, a.label, 1 / value, 1 / high, 1 / low, p)


def compared(cells: Sequence[Cell]) -> list[Cell]:
    """Leave out the refits, unless all are: they were trained on more."""
    return [cell for cell in cells if not cell.refit] or [*cells]


@dataclass(frozen=True)
class Cost:
    """One model's cost over another's."""

    name: str
    of: str
    against: str
    value: float
    low: float
    high: float
    p: float

    @property
    def is_shown(self) -> bool:
        apart = self.low > 1 or self.high < 1
        return self.p < LEVEL and apart and max(self.value, 1 / self.value) >= WORTH


def comparable(a: Cell, b: Cell, cost: str) -> bool:
    """Whether two cells' times, memory or rates may be compared."""
    runs = (*a.runs, *b.runs)
    if min(len(a.runs), len(b.runs)) < 2 or any(run.cost(cost) is None for run in runs):
        return False
    if any(run.disturbed for run in runs):
        return False
    if cost.endswith("to the chosen epoch") and any(run.still_improving for run in runs):
        return False
    if cost.startswith("Energy") and len({run.counted for run in runs}) > 1:
        return False
    if cost in OF_HOST and any(run.cost("Peak GPU memory") for run in runs):
        return False
    return len({(run.start["device"], run.start["dtype"]) for run in runs}) == 1


def metric_of(name: str) -> tuple[str, bool]:
    """The metric of a column such as ``NDCG@10/test (seen masked)``."""
    found = re.match(r"(\w+@10)(?:/\w+)?( \(seen masked\))?", name)
    if not found or found[1] not in NAMES:
        raise UnsureError(f"no metric {name!r}")
    return NAMES[found[1]], bool(found[2])


def unknown_heads(row: Mapping[str, str], known: Set[str]) -> Iterator[str]:
    """Yield no fault; a row with further columns can't be judged."""
    if unknown := row.keys() - known:
        raise UnsureError(f"columns that aren't known: {', '.join(unknown)}")
    yield from ()
