"""The catalogue of configured entries, and the runs that it can make of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any, TypeVar

from engine.config.entries import ModelEntry, ReferenceTable, Settings
from engine.config.launchers import SlurmProfile
from engine.config.overrides import Override, overlay, parse_override, profile_settings
from engine.errors import UsageError, did_you_mean, shown
from engine.spec import CellKey, Dataset, RunSpec, Suite
from engine.validation import InvalidError, validate

MOST_RUNS = 10_000
"""Most runs of a suite; a few lines of YAML can multiply to more than any machine can do."""

Entry = TypeVar("Entry", ModelEntry, Dataset, Suite, SlurmProfile)


@dataclass(frozen=True)
class Catalogue:
    """All configured entries, by name."""

    models: dict[str, ModelEntry]
    datasets: dict[str, Dataset]
    suites: dict[str, Suite]
    references: dict[str, ReferenceTable]
    settings: Settings = field(default_factory=Settings)
    launchers: dict[str, SlurmProfile] = field(default_factory=dict)
    """Clusters that runs can be submitted to."""

    def model(self, name: str) -> ModelEntry:
        """Find a model by name or alias, ignoring case. Raises `UsageError`."""
        return _find("model", name, self.models)

    def dataset(self, name: str) -> Dataset:
        """Find a data set by name or alias, ignoring case. Raises `UsageError`."""
        return _find("data set", name, self.datasets)

    def suite(self, name: str) -> Suite:
        """Find a suite by name, ignoring case. Raises `UsageError`."""
        return _find("suite", name, self.suites)

    def launcher(self, name: str) -> SlurmProfile:
        """Find a launcher by name, ignoring case. Raises `UsageError`."""
        return _find("launcher", name, self.launchers)

    def run_spec(
        self,
        model: str,
        dataset: str,
        length: int,
        seed: int,
        profile: str = "reference",
        overrides: Mapping[str, Override] | None = None,
        variant: str = "",
    ) -> RunSpec:
        """Make a run's configuration: the profile, then its size's settings, then overrides.

        Raises:
            UsageError: a name is unknown, or a value invalid.
        """
        entry, source = self.model(model), self.dataset(dataset)
        settings = profile_settings(entry, profile, source.size)
        for key, value in (overrides or {}).items():
            section, name, parsed = parse_override(entry, profile, key, value)
            settings[section][name] = parsed
        content: dict[str, Any] = {
            "model": entry.name,
            "dataset": source.name,
            "length": length,
            "seed": seed,
            "profile": profile,
            "variant": variant,
            "source": source,
            "architecture": settings["architecture"],
            "training": settings["training"],
        }
        try:
            return validate(RunSpec, content)
        except InvalidError as error:
            # A sentence about several settings names them itself.
            key = str(error.key_path[-1]) if error.key_path else ""
            where = f"{key}: " if key and key not in settings else ""
            cell = f"{entry.name} × {source.name} × {length}"
            raise UsageError(f"{cell}: {where}{error.problem}") from None

    def cells(self, suite: Suite) -> list[CellKey]:
        """Return the distinct cells of a suite, by names, not aliases.

        Raises:
            UsageError: a name is unknown, or there is no cell.
        """
        models = [self.model(name).name for name in suite.models]
        datasets = [self.dataset(name).name for name in suite.datasets]
        cells = dict.fromkeys(product(models, datasets, suite.lengths))
        if suite.cells:
            wanted = {(self.model(m).name, self.dataset(d).name, n) for m, d, n in suite.cells}
            cells = {cell: None for cell in cells if cell in wanted}
        if not cells:
            raise UsageError(f"suite {shown(suite.name)} has no such cell: see its 'cells'.")
        return list(cells)

    def expand(self, suite: Suite) -> list[RunSpec]:
        """Return all runs of a suite, by cell, then variant, then seed.

        Raises:
            UsageError: a run is invalid, or there are more than `MOST_RUNS`.
        """
        variants = suite.variants or {"": {}}
        counts = map(len, (suite.models, suite.datasets, suite.lengths, variants, suite.seeds))
        if not suite.cells and (total := math.prod(counts)) > MOST_RUNS:
            raise UsageError(f"That is {total:,} runs: choose at most {MOST_RUNS:,} at once.")
        cells = self.cells(suite)
        if (total := len(cells) * len(variants) * len(suite.seeds)) > MOST_RUNS:
            raise UsageError(f"That is {total:,} runs: choose at most {MOST_RUNS:,} at once.")
        return [
            self.run_spec(
                *(*cell, seed, suite.profile),
                overlay(suite.overrides, variants[variant]),
                variant,
            )
            for cell, variant, seed in product(cells, variants, suite.seeds)
        ]


def _find(kind: str, name: str, entries: Mapping[str, Entry]) -> Entry:
    wanted = name.strip().lower()
    for entry in entries.values():
        aliases: Iterable[str] = getattr(entry, "aliases", ())
        if wanted in {entry.name, *(alias.lower() for alias in aliases)}:
            return entry
    raise UsageError(f"there is no {kind} {shown(name)}: {did_you_mean(wanted, entries)}")
