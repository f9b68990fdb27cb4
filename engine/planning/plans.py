"""Plans: the runs of an order, and what is known of them before they are queued."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from engine.cell import Cell
from engine.config import Catalogue
from engine.config.catalogue import MOST_RUNS
from engine.config.overrides import is_of_training, setting_name, swept
from engine.datasets.locate import is_ready
from engine.errors import UsageError
from engine.machine.estimates import CostEstimate, cost_key, estimate_from_past
from engine.machine.slots import Slot
from engine.order import MOST_SEEDS, Order, more_seeds
from engine.spec import CellKey, Dataset, RunSpec, Suite, parameter_count
from engine.store.compare.planned_seeds import fitted_datasets, seeds_of_cells


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """A run of a plan, with what is known before it is queued."""

    spec: RunSpec
    fingerprint: str
    missing: bool
    """Whether no run with the same fingerprint is queued, running or done."""
    parameters: int
    cell: Cell
    """Without a checksum: its data isn't read yet."""
    cost: CostEstimate | None = None
    """``None`` if there is no estimate."""

    @property
    def at_most(self) -> float | None:
        """Seconds of all its epochs; ``None`` if there is no estimate."""
        return None if self.cost is None else self.cost.epoch_seconds * self.spec.training.epochs


@dataclass(frozen=True)
class Plan:
    """The runs of an order, in the order in which they are queued."""

    order: Order
    runs: tuple[PlannedRun, ...]
    label: str | None
    """Name of the suite that the runs are recorded under: see `plan`."""
    absent: tuple[Dataset, ...] = ()
    """Data sets of the runs that are not on this machine."""
    lone: frozenset[Cell] = frozenset()
    """Cells that would have a single seed, with the runs of the store; empty if it wasn't asked."""
    wider: Plan | None = None
    """The same cells with enough seeds, if some would have a single one."""
    floor: tuple[PlannedRun, ...] = ()
    """Runs of fitted models that would give a floor to the data sets that have none yet and that
    other models are to be trained on; empty if it wasn't asked."""

    @property
    def swept(self) -> dict[str, int]:
        """The number of values of each setting that has several."""
        return swept(self.order.overrides)

    @property
    def once(self) -> tuple[str, ...]:
        """The models that are run once for several seeds: fitted, they are the same for each."""
        fitted = dict.fromkeys(run.spec.model for run in self.runs if run.spec.fitted)
        return tuple(fitted) if len(self.order.seeds) > 1 else ()

    @property
    def of_training(self) -> tuple[str, ...]:
        """The names of the settings of training that are overridden."""
        changes = (self.order.overrides, *self.order.variants.values())
        keys = filter(is_of_training, chain.from_iterable(changes))
        return tuple(dict.fromkeys(map(setting_name, keys)))

    @property
    def untrained(self) -> tuple[str, ...]:
        """The fitted models, if there are overrides of training, which don't concern them."""
        fitted = dict.fromkeys(run.spec.model for run in self.runs if run.spec.fitted)
        return tuple(fitted) if self.of_training else ()

    @property
    def missing(self) -> tuple[PlannedRun, ...]:
        return tuple(run for run in self.runs if run.missing)

    def lone_of(self, runs: Iterable[PlannedRun]) -> frozenset[Cell]:
        """The cells of some of the runs that would have a single seed."""
        return self.lone.intersection(run.cell for run in runs)

    def absent_of(self, runs: Iterable[PlannedRun]) -> list[Dataset]:
        """The data sets that are not on this machine and that some of the runs need."""
        needed = {run.spec.dataset for run in runs}
        return [dataset for dataset in self.absent if dataset.name in needed]


def plan(
    catalogue: Catalogue,
    order: Order,
    present: Container[str],
    cost_of: Callable[[RunSpec], CostEstimate | None] = lambda _: None,
    seeds_of: Callable[[Collection[Cell]], Mapping[Cell, Collection[int]]] | None = None,
) -> Plan:
    """Check an order and work out its runs.

    They go by data set, the smallest first, then model, length, variant, settings and seed. Runs
    that must give the same result are one, as are all seeds of a fitted model. Their label is the
    order's suite if `keeps_label` says so.

    Args:
        present: fingerprints of the runs that are queued, running or done.
        cost_of: what a run costs; asked once for runs that differ in their seed only.
        seeds_of: the seeds that cells have in the store; asked to find those that would have one.

    Raises:
        UsageError: a name that isn't known, an impossible value, or too many runs.
    """
    if len(order.seeds) > MOST_SEEDS:
        raise UsageError(f"At most {MOST_SEEDS:,} seeds at a time.")
    cells = catalogue.in_order(order.cells)
    specs = catalogue.specs(cells, order.seeds, order.profile, order.overrides, order.variants)
    known: dict[tuple[object, ...], tuple[int, Cell, CostEstimate | None]] = {}
    runs: dict[str, PlannedRun] = {}
    for spec in specs:
        fingerprint = spec.fingerprint()
        if fingerprint in runs:  # of a fitted model, or variants that what was typed makes equal
            continue
        place = (spec.model, spec.dataset, spec.length)
        kind = (*place, spec.variant, spec.architecture, spec.training)
        if kind not in known:
            known[kind] = parameter_count(spec), _cell(spec), cost_of(spec)
        runs[fingerprint] = PlannedRun(spec, fingerprint, fingerprint not in present, *known[kind])
    sources = {run.spec.dataset: run.spec.source for run in runs.values()}
    absent = tuple(source for source in sources.values() if not is_ready(source))
    suite = None if order.suite is None else catalogue.suite(order.suite)
    seed = order.seeds[0]
    of_seed = [fingerprint for fingerprint, run in runs.items() if run.spec.seed == seed]
    label = suite.name if suite and keeps_label(catalogue, suite, seed, of_seed) else None
    found = Plan(order, tuple(runs.values()), label, absent)
    if seeds_of is None or len(order.seeds) > 1:
        return found
    trained = [run for run in found.runs if not run.spec.fitted]
    there = seeds_of({run.cell for run in trained})
    lone = {run.cell for run in trained if {run.spec.seed}.issuperset(there.get(run.cell, ()))}
    return replace(found, lone=frozenset(lone), wider=_widened(found, present) if lone else None)


def plan_in_store(
    con: sqlite3.Connection | None,
    catalogue: Catalogue,
    order: Order,
    present: Container[str],
    slots: Sequence[Slot],
    measured: Mapping[str, CostEstimate] | None = None,
) -> Plan:
    """Plan an order, with what its runs cost in the slots, the cells that would
    have a single seed, and the runs that would give its data sets a floor.

    Args:
        con: the store; ``None`` if there is none yet.
        present: fingerprints of the runs that are queued, running or done.
        measured: costs by `cost_key`, of runs like which there are none in the store.

    Raises:
        UsageError: an order that can't be.
        StoreError: the store can't be read.
    """

    def seeds_of(cells: Collection[Cell]) -> Mapping[Cell, Collection[int]]:
        return seeds_of_cells(con, cells) if con else {}

    cost_of = costs_in_store(con, slots, measured or {})
    found = plan(catalogue, order, present, cost_of, seeds_of)
    known = fitted_datasets(con) if con else frozenset()
    cells = _floor_cells(catalogue, found, known)
    if not cells:
        return found
    floor = plan(catalogue, Order(cells, order.seeds[:1]), present, cost_of)
    return replace(found, floor=floor.runs)


def costs_in_store(
    con: sqlite3.Connection | None, slots: Sequence[Slot], measured: Mapping[str, CostEstimate]
) -> Callable[[RunSpec], CostEstimate | None]:
    """Return what finds the cost of a run in the slots: from the store's runs, or else measured.

    Args:
        con: the store; ``None`` if there is none yet.
        measured: costs by `cost_key`.
    """

    def cost_of(spec: RunSpec) -> CostEstimate | None:
        past = estimate_from_past(con, spec, slots) if con and slots else None
        return past or measured.get(cost_key(spec))

    return cost_of


def _floor_cells(catalogue: Catalogue, plan: Plan, known: Container[str]) -> frozenset[CellKey]:
    """Choose the cells of all fitted models that come with seqbench and can be fitted to the data,
    for the data sets that lack them, at the longest of the lengths.

    Args:
        known: data sets with runs of fitted models.
    """
    own = {run.spec.dataset for run in plan.runs if run.spec.fitted}
    trained = [
        run.spec
        for run in plan.runs
        if run.spec.dataset not in known and run.spec.dataset not in own
    ]
    models = [
        info
        for entry in catalogue.models.values()
        if "reference" in entry.profiles
        and (info := entry.info("reference")).kind == "fitted"
        and info.file is None
    ]
    length = max((spec.length for spec in trained), default=0)
    return frozenset(
        (info.name, spec.dataset, length)
        for info in models
        for spec in trained
        if not (info.needs_times and spec.source.untimed)
    )


def _cell(spec: RunSpec) -> Cell:
    return Cell(spec.model, spec.dataset, spec.length, spec.recipe, spec.settings(), "")


def _widened(plan: Plan, present: Container[str]) -> Plan | None:
    """Make the plan of the same order with enough seeds in place of one; ``None`` if that is too
    many runs."""
    order = replace(plan.order, seeds=more_seeds(plan.order.seeds[0]))
    if len(plan.runs) * len(order.seeds) > MOST_RUNS:
        return None

    def seeded(run: PlannedRun, seed: int) -> PlannedRun:
        spec = run.spec.model_copy(update={"seed": seed})
        fingerprint = spec.fingerprint()
        missing = fingerprint not in present
        return replace(run, spec=spec, fingerprint=fingerprint, missing=missing)

    runs = tuple(
        seeded(run, seed)
        for run in plan.runs
        for seed in (order.seeds[:1] if run.spec.fitted else order.seeds)
    )
    return Plan(order, runs, plan.label, plan.absent)


def keeps_label(catalogue: Catalogue, suite: Suite, seed: int, fingerprints: Iterable[str]) -> bool:
    """Return whether runs may be recorded under a suite: whether each of them is what the suite
    makes of its cells and variants, whatever the seed.

    Args:
        fingerprints: of the runs with this seed; those with other seeds differ in nothing else.
    """
    own = catalogue.expand(suite.model_copy(update={"seeds": (seed,)}))
    return {spec.fingerprint() for spec in own}.issuperset(fingerprints)
