"""Planning: from an order to its runs, for the app and the commands.

It takes a moment to import and to work: the app does both in threads, after its first paint.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from engine.analysis.further import why_not_further
from engine.cell import Cell
from engine.config import Catalogue
from engine.config.catalogue import MOST_RUNS
from engine.config.overrides import Override, overlay, parse_override
from engine.config.suites import suite_of_cells
from engine.datasets.locate import is_ready
from engine.errors import UsageError
from engine.interchange.continued import add_continued
from engine.machine.estimates import CostEstimate, cost_key, estimate_from_past
from engine.machine.slots import Slot
from engine.models.sizes import parameter_count
from engine.order import DEFAULT_LENGTHS, DEFAULT_SEEDS, MOST_SEEDS, Order, more_seeds
from engine.spec import CellKey, Dataset, Overrides, RunSpec, Suite, amended
from engine.store.compare.planned_seeds import seeds_of_cells
from engine.store.connect import connect_reader
from engine.store.location import StoreLocation
from engine.store.queries import Run, get_run, present_runs, run_spec
from engine.store.requests import enqueue
from engine.yamlfile import parse_scalar


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

    They go by data set, the smallest first, then model, length, variant and seed. Runs that must
    give the same result are one. Their label is the order's suite if `keeps_label` says so.

    Args:
        present: fingerprints of the runs that are queued, running or done.
        cost_of: what a run costs; asked once for runs that differ in their seed only.
        seeds_of: the seeds that cells have in the store; asked to find those that would have one.

    Raises:
        UsageError: a name that isn't known, an impossible value, or too many runs.
    """
    if len(order.seeds) > MOST_SEEDS:
        raise UsageError(f"At most {MOST_SEEDS:,} seeds at once.")
    cells = catalogue.in_order(order.cells)
    specs = catalogue.specs(cells, order.seeds, order.profile, order.overrides, order.variants)
    known: dict[tuple[str, str, int, str], tuple[int, Cell, CostEstimate | None]] = {}
    runs: dict[str, PlannedRun] = {}
    for spec in specs:
        fingerprint = spec.fingerprint()
        if fingerprint in runs:  # variants that what was typed makes equal
            continue
        kind = (spec.model, spec.dataset, spec.length, spec.variant)
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
    there = seeds_of({run.cell for run in found.runs})
    lone = {run.cell for run in found.runs if {run.spec.seed}.issuperset(there.get(run.cell, ()))}
    return replace(found, lone=frozenset(lone), wider=_widened(found, present) if lone else None)


def plan_in_store(
    con: sqlite3.Connection | None,
    catalogue: Catalogue,
    order: Order,
    present: Container[str],
    slots: Sequence[Slot],
    measured: Mapping[str, CostEstimate] | None = None,
) -> Plan:
    """Plan an order, with what its runs cost in the first of the slots and the cells that would
    have a single seed.

    Args:
        con: the store; ``None`` if there is none yet.
        present: fingerprints of the runs that are queued, running or done.
        measured: costs by `cost_key`, of runs like which there are none in the store.

    Raises:
        UsageError: an order that can't be.
        StoreError: the store can't be read.
    """

    def cost_of(spec: RunSpec) -> CostEstimate | None:
        past = estimate_from_past(con, spec, slots[0]) if con and slots else None
        return past or (measured or {}).get(cost_key(spec))

    def seeds_of(cells: Collection[Cell]) -> Mapping[Cell, Collection[int]]:
        return seeds_of_cells(con, cells) if con else {}

    return plan(catalogue, order, present, cost_of, seeds_of)


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

    runs = tuple(seeded(run, seed) for run in plan.runs for seed in order.seeds)
    return Plan(order, runs, plan.label, plan.absent)


def keeps_label(catalogue: Catalogue, suite: Suite, seed: int, fingerprints: Iterable[str]) -> bool:
    """Return whether runs may be recorded under a suite: whether each of them is what the suite
    makes of its cells and variants, whatever the seed.

    Args:
        fingerprints: of the runs with this seed; those with other seeds differ in nothing else.
    """
    own = catalogue.expand(suite.model_copy(update={"seeds": (seed,)}))
    return {spec.fingerprint() for spec in own}.issuperset(fingerprints)


# Orders, as the front ends are told them


def order_of_cells(
    catalogue: Catalogue,
    cells: Iterable[CellKey],
    seeds: tuple[int, ...] = DEFAULT_SEEDS,
    profile: str = "reference",
    settings: Mapping[str, Override] | None = None,
    suite: str | None = None,
) -> Order:
    """Order chosen cells.

    Args:
        settings: all that differ from the profile's. Those that are not the suite's own take
            precedence over its variants.
        suite: the one that the choice began with; it gives the variants.

    Raises:
        UsageError: there is no such suite.
    """
    settings = settings or {}
    if suite is None:
        return Order(frozenset(cells), seeds, profile, settings)
    named = catalogue.suite(suite)
    own = {key: _value(value) for key, value in named.overrides.items()}
    changed = {key: v for key, v in settings.items() if key not in own or _value(v) != own[key]}
    variants = _variants(named, changed)
    return Order(frozenset(cells), seeds, profile, settings, named.name, variants)


def order_of_axes(
    catalogue: Catalogue,
    models: Sequence[str] = (),
    datasets: Sequence[str] = (),
    lengths: Sequence[int] = (),
    seeds: Sequence[int] = (),
    profile: str | None = None,
    settings: Mapping[str, Override] | None = None,
    suite: str | None = None,
) -> Order:
    """Order every combination of models, data sets, lengths and seeds.

    What isn't given is the suite's or, without one, the default; models and data sets have none.

    Args:
        settings: take precedence over the suite's own, and over its variants.

    Raises:
        UsageError: a name that isn't known, or no cell is left.
    """
    asked = {"models": models, "datasets": datasets, "lengths": lengths, "seeds": seeds}
    axes: dict[str, Any] = {name: tuple(values) for name, values in asked.items() if values}
    if suite is None:
        axes = {"lengths": DEFAULT_LENGTHS, "seeds": DEFAULT_SEEDS} | axes
        named = Suite(name="by-hand", title="", **axes)
    else:
        named = catalogue.suite(suite).model_copy(update=axes)
    typed = dict(settings or {})
    return Order(
        frozenset(catalogue.cells(named)),
        tuple(dict.fromkeys(named.seeds)),
        profile or named.profile,
        overlay(named.overrides, typed),
        None if suite is None else named.name,
        _variants(named, typed),
    )


def _value(setting: Override) -> object:
    return parse_scalar(setting) if isinstance(setting, str) else setting


def _variants(suite: Suite, typed: Overrides) -> dict[str, Overrides]:
    return {name: overlay(changes, typed) for name, changes in suite.variants.items()}


def order_suite(catalogue: Catalogue, order: Order, name: str, title: str) -> Suite:
    """Make a suite of an order; its title defaults to its name. Raises `UsageError`."""
    return suite_of_cells(
        name,
        title or name,
        catalogue.in_order(order.cells),
        order.seeds,
        order.profile,
        dict(order.overrides),
        order.variants,
    )


# Single runs


def sample(catalogue: Catalogue, order: Order, cell: CellKey) -> tuple[RunSpec, int]:
    """Return the configuration of one cell of an order, without variants, and its parameter count.

    Raises:
        UsageError: an impossible value.
    """
    spec = catalogue.run_spec(*cell, order.seeds[0], order.profile, order.overrides)
    return spec, parameter_count(spec)


def amendments(
    catalogue: Catalogue, model: str, recipe: str, settings: Mapping[str, str]
) -> dict[str, Any]:
    """Parse ``settings`` that change a run of a recipe (``profile`` or ``profile/variant``).

    Raises:
        UsageError: an unknown setting, or an impossible value.
    """
    entry, profile = catalogue.model(model), recipe.partition("/")[0]
    parsed = [parse_override(entry, profile, key, value) for key, value in settings.items()]
    return {name: value for _, name, value in parsed}


def enqueue_amended(
    location: StoreLocation,
    catalogue: Catalogue | None,
    run_id: str,
    settings: Mapping[str, Any],
) -> str:
    """Put a new run at the end of the queue: a present one's configuration but for some settings.

    It goes to the same launcher, and keeps its suite's name if `keeps_label` says so; without a
    catalogue that isn't known.

    Returns:
        The new run's id.

    Raises:
        UsageError: there is no such run, or no such setting, or not with this value.
        StoreError: the store can't be read or written.
    """
    with closing(connect_reader(location)) as connection:
        spec, run = run_spec(connection, run_id), get_run(connection, run_id)
    assert run is not None  # it has a configuration
    changed = _amended(spec, settings)
    return enqueue(location, [changed], _label(catalogue, run, changed), run.launcher)[0]


def enqueue_further(
    location: StoreLocation, catalogue: Catalogue | None, run_ids: Sequence[str], epochs: int
) -> list[str]:
    """Queue new runs that go on from where others reached their limit of epochs, with a higher one.

    Each is what a run with that limit from the start would be, and gives the same result. Runs that
    they go on from stay as they are. All are checked before the first is queued.

    Returns:
        The new runs' ids.

    Raises:
        UsageError: there is no such run, training can't go on from its end, or a run with that
            limit is there already.
        StoreError: the store can't be read or written.
    """
    found: dict[str, tuple[RunSpec, str | None]] = {}
    with closing(connect_reader(location)) as connection:
        for run_id in dict.fromkeys(run_ids):
            spec, run = run_spec(connection, run_id), get_run(connection, run_id)
            assert run is not None  # it has a configuration
            content = spec.model_dump(mode="json")
            why = why_not_further(location.folder(run_id), run, content, catalogue, epochs)
            if why is not None:
                raise UsageError(why)
            longer = _amended(spec, {"epochs": epochs}).model_copy(update={"continues": run_id})
            fingerprint = longer.fingerprint()
            if fingerprint in found:
                raise UsageError(
                    f"{run_id} and {found[fingerprint][0].continues} are the same run twice: name "
                    "one of them."
                )
            if there := present_runs(connection, fingerprint):
                raise UsageError(
                    f"{run_id} with {epochs} epochs is there already: {there[0].id} "
                    f"({there[0].state})."
                )
            found[fingerprint] = longer, _label(catalogue, run, longer)
    return [
        add_continued(location, spec, label, parameter_count(spec))
        for spec, label in found.values()
    ]


def _amended(spec: RunSpec, settings: Mapping[str, Any]) -> RunSpec:
    try:
        return amended(spec, settings)
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(f"{first['loc'][-1]}: {first['msg']}.") from None


def _label(catalogue: Catalogue | None, run: Run, spec: RunSpec) -> str | None:
    """The suite's name that a run made from another one keeps, if `keeps_label` says so."""
    if catalogue is None or not (suite := catalogue.suites.get(run.suite or "")):
        return None
    kept = keeps_label(catalogue, suite, spec.seed, [spec.fingerprint()])
    return suite.name if kept else None
