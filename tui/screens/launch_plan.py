"""From what is chosen on the Launch screen to the runs that it means. No widgets here.

For threads: the configuration's classes are imported when first needed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING

from engine.errors import UsageError, shown
from tui.text import plain
from tui.widgets.grid import Key

if TYPE_CHECKING:
    from engine.config import Catalogue
    from engine.scheduling.costs import Cost
    from engine.spec import Dataset, Overrides, RunSpec, Suite

MOST_SEEDS = 1000
MOST_RUNS = 10_000


@dataclass(frozen=True)
class Order:
    """What the user asks for, not yet checked against anything."""

    cells: frozenset[Key] = frozenset()
    seeds: tuple[int, ...] = (42,)
    profile: str = "reference"
    overrides: Mapping[str, str] = field(default_factory=dict)
    suite: str | None = None
    variants: Mapping[str, Overrides] = field(default_factory=dict)
    """The suite's; each cell is run once for each of them."""


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """One run, and what is known about it beforehand."""

    spec: RunSpec
    fingerprint: str
    missing: bool
    """Not queued, running or done with the same settings."""
    parameters: int
    cost: Cost | None
    """``None`` where nothing tells it."""

    @property
    def at_most(self) -> float | None:
        """Seconds of all its epochs."""
        return None if self.cost is None else self.cost.epoch_seconds * self.spec.training.epochs


@dataclass(frozen=True)
class Plan:
    """The runs of an order."""

    order: Order
    runs: tuple[PlannedRun, ...]
    absent: tuple[Dataset, ...] = ()
    """Data sets of the order that are not on this machine."""

    @property
    def missing(self) -> tuple[PlannedRun, ...]:
        return tuple(run for run in self.runs if run.missing)


def make_plan(
    catalogue: Catalogue,
    order: Order,
    present: frozenset[str],
    cost_of: Callable[[RunSpec], Cost | None],
) -> Plan:
    """Check an order and work out its runs. Raises `UsageError`."""
    from engine.datasets.locate import is_ready
    from engine.models.sizes import parameter_count

    variants = order.variants or {"": {}}
    total = len(order.cells) * len(variants) * len(order.seeds)
    if total > MOST_RUNS:
        raise UsageError(f"That is {total:,} runs: choose at most {MOST_RUNS:,} at once.")
    runs: list[PlannedRun] = []
    planned: set[str] = set()
    sources: dict[str, Dataset] = {}
    for key, variant in product(sorted(order.cells, key=_order_key(catalogue)), variants):
        overrides = {**order.overrides, **variants[variant]}
        first = catalogue.run_spec(*key, order.seeds[0], order.profile, overrides, variant)
        sources[first.dataset] = first.source
        parameters, cost = parameter_count(first), cost_of(first)
        for seed in order.seeds:
            spec = first.model_copy(update={"seed": seed})
            fingerprint = spec.fingerprint()
            if fingerprint in planned:  # variants that what was typed makes equal
                continue
            planned.add(fingerprint)
            missing = fingerprint not in present
            runs.append(PlannedRun(spec, fingerprint, missing, parameters, cost))
    absent = tuple(source for source in sources.values() if not is_ready(source))
    return Plan(order, tuple(runs), absent)


def variants_of(suite: Suite, settings: Mapping[str, str]) -> Mapping[str, Overrides]:
    """A suite's variants; what of ``settings`` isn't the suite's own takes precedence."""
    from engine.config import overlay

    typed: Overrides = {
        key: value for key, value in settings.items() if str(suite.overrides.get(key)) != value
    }
    return {name: overlay(changes, typed) for name, changes in suite.variants.items()}


def order_suite(catalogue: Catalogue, order: Order, name: str, title: str) -> Suite:
    """What an order would be as a suite. Raises `UsageError`."""
    from engine.suites import suite_of_cells

    return suite_of_cells(
        name,
        title,
        sorted(order.cells, key=_order_key(catalogue)),
        order.seeds,
        order.profile,
        dict(order.overrides),
        order.variants,
    )


def suite_of(catalogue: Catalogue, name: str | None, specs: Sequence[RunSpec]) -> str | None:
    """``name``, if every one of these runs belongs to that suite."""
    if name is None or name not in catalogue.suites:
        return None
    members = {spec.fingerprint() for spec in catalogue.expand(catalogue.suites[name])}
    return name if all(spec.fingerprint() in members for spec in specs) else None


# Rows and columns


def model_order(catalogue: Catalogue) -> list[str]:
    """Models as the suites list them, then the others by name."""
    named = [model for suite in catalogue.suites.values() for model in suite.models]
    known = [catalogue.model(name).name for name in named]
    return list(dict.fromkeys([*known, *catalogue.models]))


def dataset_order(catalogue: Catalogue, wanted: Container[str] | None = None) -> list[str]:
    """What is built in, then by size; of the optional ones only those that are ``wanted``."""
    return [
        name
        for name in catalogue.datasets_by_size()
        if wanted is None or not catalogue.datasets[name].optional or name in wanted
    ]


def default_lengths(catalogue: Catalogue) -> tuple[int, ...]:
    """Every length that a suite of the reference profile names."""
    suites = [suite for suite in catalogue.suites.values() if suite.profile == "reference"]
    return tuple(sorted({n for suite in suites for n in suite.lengths})) or (50,)


def _order_key(catalogue: Catalogue) -> Callable[[Key], tuple[int, int, int]]:
    models, datasets = model_order(catalogue), dataset_order(catalogue)
    return lambda key: (datasets.index(key[1]), models.index(key[0]), key[2])


# What is typed


def parse_seeds(text: str) -> tuple[int, ...]:
    """``42``, ``1, 2, 3`` or ``1-5``, in that order, each once. Raises `UsageError`."""
    seeds: list[int] = []
    for word in _words(text, "Seeds"):
        match = re.fullmatch(r"(\d{1,10})(?:-(\d{1,10}))?", word)
        if not match:
            raise UsageError(f"Seeds are whole numbers such as 42 or 1-5, not {shown(word)}.")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise UsageError(f"{word} runs backwards: write {last}-{first}.")
        if last >= 2**31:
            raise UsageError(f"Seeds are smaller than 2147483648, and {last} is not.")
        if last - first + len(seeds) >= MOST_SEEDS:
            raise UsageError(f"At most {MOST_SEEDS:,} seeds at once.")
        seeds += range(first, last + 1)
    return tuple(dict.fromkeys(seeds))


def parse_lengths(text: str) -> tuple[int, ...]:
    """``50, 75``: sorted, each once. Raises `UsageError`."""
    lengths = set()
    for word in _words(text, "Lengths"):
        if not re.fullmatch(r"\d{1,6}", word) or not 2 <= int(word) <= 65_536:
            raise UsageError(f"Lengths are whole numbers from 2 to 65,536, not {shown(word)}.")
        lengths.add(int(word))
    return tuple(sorted(lengths))


def parse_settings(text: str) -> dict[str, str]:
    """Lines of ``key=value``; several on one line are fine too. Raises `UsageError`."""
    settings: dict[str, str] = {}
    for word in re.sub(r"\s*=\s*", "=", text).replace(",", " ").split():
        key, separator, value = word.partition("=")
        if not separator or not key or not value:
            raise UsageError(f"Settings are lines like epochs=20, not {shown(word)}.")
        if key in settings:
            raise UsageError(f"{plain(key, 40)} is set twice.")
        settings[key] = value
    return settings


def profiles(catalogue: Catalogue) -> list[str]:
    """Profiles that any model has, ``reference`` first."""
    names = {profile for entry in catalogue.models.values() for profile in entry.profiles}
    return sorted(names, key=lambda name: (name != "reference", name))


def _words(text: str, what: str) -> list[str]:
    words = re.sub(r"\s*-\s*", "-", text).replace(",", " ").split()
    if not words:
        raise UsageError(f"{what} can't be empty.")
    return words
