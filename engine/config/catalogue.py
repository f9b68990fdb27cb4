"""The catalogue of configured entries, and the runs that it can make of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any, TypeVar

from engine.config.entries import ModelEntry, Settings
from engine.config.launchers import SlurmProfile
from engine.config.overrides import (
    OF_EVERY_MODEL,
    combination_count,
    parse_override,
    profile_settings,
    setting_name,
    ways,
    ways_untrained,
)
from engine.config.published import PublishedTable
from engine.errors import UsageError, did_you_mean, shown
from engine.fitted import settings_to_try
from engine.modelinfo import Kind, ModelInfo, NotKnownError, builtin_infos, facts_of, known_facts
from engine.spec import (
    CellKey,
    Dataset,
    Override,
    Overrides,
    RunSpec,
    Suite,
    Sweep,
    leaves_choice,
    objective_problem,
    settings_class,
)
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
    published: dict[str, PublishedTable]
    settings: Settings = field(default_factory=Settings)
    launchers: dict[str, SlurmProfile] = field(default_factory=dict)
    """Clusters that runs can be submitted to."""
    infos: Mapping[str, ModelInfo] = field(default_factory=builtin_infos)
    """The models that profiles may name, those whose file can't be used among them."""

    def model(self, name: str) -> ModelEntry:
        """Find a model by name or alias, ignoring case. Raises `UsageError`."""
        wanted = name.strip().lower()
        if wanted not in self.models and (found := self.infos.get(wanted)) and found.problem:
            raise UsageError(found.problem)
        return _find("model", name, self.models)

    def info(self, model: str, profile: str = "reference") -> ModelInfo:
        """Return what a model is, by its name; without this profile, by its first one. Raises
        `UsageError`."""
        entry = self.model(model)
        return entry.info(profile if profile in entry.profiles else next(iter(entry.profiles)))

    def kind(self, model: str, profile: str = "reference") -> Kind:
        """Return how a model is trained, by its name. Raises `UsageError`."""
        return self.info(model, profile).kind

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
        wait: bool = True,
    ) -> RunSpec:
        """Make a run's configuration: the profile, then its size's settings, then overrides.

        Args:
            wait: find out whether the model's settings fit together, which may take a process.

        Raises:
            UsageError: a name is unknown, or a value invalid.
            NotKnownError: without ``wait``, that isn't known yet.
        """
        entry, source = self.model(model), self.dataset(dataset)
        settings = profile_settings(entry, profile, source.size)
        info = entry.info(profile)
        for key, value in (overrides or {}).items():
            section, name, parsed = parse_override(entry, profile, key, value)
            settings[section][name] = parsed
        chosen = entry.profiles[profile].chosen
        content: dict[str, Any] = {
            "model": entry.name,
            "dataset": source.name,
            "length": length,
            "seed": seed,
            "profile": profile,
            "variant": variant,
            "source": source,
            "training": settings["training"],
            "chosen_by": chosen if leaves_choice(map(setting_name, overrides or {})) else None,
        }
        if info.file is not None:
            file = Path(info.file).name
            content["code"] = {"file": file, "sha256": info.sha256, "package": info.package}
        cell = f"{entry.name} × {source.name} × {length}"
        try:
            own = {key: value for key, value in settings["architecture"].items() if key != "model"}
            whole = validate(settings_class(info), own).model_dump()
            content["architecture"] = {"model": info.name, **whole}
            content["training"] = _training(info, settings["training"], whole)
            spec = validate(RunSpec, content)
        except InvalidError as error:
            # A sentence about several settings names them itself.
            key = str(error.key_path[-1]) if error.key_path else ""
            where = f"{key}: " if key and key not in ("architecture", "training") else ""
            raise UsageError(f"{cell}: {where}{error.problem}") from None
        problem = objective_problem(info.name, info.kind, spec.training.objective)
        facts = facts_of(info, [whole])[0] if wait else known_facts(info, whole)
        if facts is None:
            raise NotKnownError(f"{cell}: its parameters aren't counted yet.")
        if problem := problem or facts.problem:
            raise UsageError(f"{cell}: {problem}.")
        return spec

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

    def run_count(self, suite: Suite) -> int:
        """Return how many runs `expand` makes of a suite. Raises `UsageError`."""
        cells = self.cells(suite)
        found = self._ways(cells, suite.profile, suite.overrides, suite.variants)
        return sum(len(found[model]) for model, _, _ in cells) * len(suite.seeds)

    def expand(self, suite: Suite) -> list[RunSpec]:
        """Return all runs of a suite, its cells in the order that it names them (see `specs`).

        Raises:
            UsageError: a run is invalid, or there are more than `MOST_RUNS`.
        """
        if not suite.cells:  # before so many cells are made
            cells = len(suite.models) * len(suite.datasets) * len(suite.lengths)
            combinations = combination_count(suite.overrides, suite.variants)
            _check_number(cells * combinations * len(suite.seeds))
        return self.specs(
            self.cells(suite), suite.seeds, suite.profile, suite.overrides, suite.variants
        )

    def specs(
        self,
        cells: Sequence[CellKey],
        seeds: Sequence[int],
        profile: str,
        overrides: Mapping[str, Sweep],
        variants: Mapping[str, Overrides],
    ) -> list[RunSpec]:
        """Make every run of some cells: cell by cell, variant by variant, combination by
        combination of the overrides' values, seed by seed. Overrides of training concern only
        models that are trained (`untrained`). Before refits go the runs that they refit.

        Args:
            variants: overrides by name of a variant, which go before ``overrides``; each cell is
                run in each variant. Empty for one variant without a name.

        Raises:
            UsageError: a combination is impossible, or there are too many.
        """
        _check_number(len(cells) * combination_count(overrides, variants) * len(seeds))
        found = self._ways(cells, profile, overrides, variants)
        specs: list[RunSpec] = []
        for cell in cells:
            for variant, settings in found[cell[0]]:
                checked = [
                    self.run_spec(*cell, seed, profile, settings, variant)
                    for seed in (seeds[:1] if specs else seeds)  # copies aren't: each seed is, once
                ]
                made = checked[:1]
                if made[0].training.refit:
                    made.insert(0, made[0].first)
                specs += [one.model_copy(update={"seed": seed}) for one in made for seed in seeds]
        return specs

    def untrained(self, models: Iterable[str], profile: str) -> frozenset[str]:
        """Return the models of a selection that overrides of training don't concern: those that
        are fitted, if at least one is trained. Of fitted models alone they are a mistake.

        Args:
            models: by name. Raises `UsageError` for one that there isn't.
        """
        every = set(models)
        fitted = {model for model in every if self.kind(model, profile) == "fitted"}
        return frozenset(fitted if fitted < every else ())

    def _ways(
        self,
        cells: Iterable[CellKey],
        profile: str,
        overrides: Mapping[str, Sweep],
        variants: Mapping[str, Overrides],
    ) -> dict[str, list[tuple[str, dict[str, Override]]]]:
        """Return how the cells of each model are run (`engine.config.overrides.ways`)."""
        models = {model for model, _, _ in cells}
        untrained = self.untrained(models, profile)
        every = ways(overrides, variants)
        fewer = ways_untrained(overrides, variants)
        return {model: fewer if model in untrained else every for model in models}

    # In which order things are listed, and run

    @cached_property
    def model_order(self) -> tuple[str, ...]:
        """Models as the suites list them, then the others by name, fitted ones last."""
        named = [self.model(model).name for suite in self.suites.values() for model in suite.models]
        others = sorted(self.models, key=lambda name: self.kind(name) == "fitted")
        return tuple(dict.fromkeys([*named, *others]))

    @cached_property
    def dataset_order(self) -> tuple[str, ...]:
        """Data sets: what is built in, then by size."""

        def rank(name: str) -> tuple[bool, int, str]:
            dataset = self.datasets[name]
            return dataset.reader != "synthetic", dataset.interactions, name

        return tuple(sorted(self.datasets, key=rank))

    def in_order(self, cells: Iterable[CellKey]) -> list[CellKey]:
        """Sort cells in the order in which they are run: by data set, model, then length."""
        models, datasets = self.model_order, self.dataset_order
        return sorted(
            cells, key=lambda cell: (datasets.index(cell[1]), models.index(cell[0]), cell[2])
        )

    @property
    def profiles(self) -> list[str]:
        """Profiles that any model has, ``reference`` first."""
        names = {profile for entry in self.models.values() for profile in entry.profiles}
        return sorted(names, key=lambda name: (name != "reference", name))

    @property
    def reference_lengths(self) -> tuple[int, ...]:
        """Every length that a suite of the reference profile names."""
        suites = [suite for suite in self.suites.values() if suite.profile == "reference"]
        return tuple(sorted({length for suite in suites for length in suite.lengths}))


def _training(
    info: ModelInfo, settings: Mapping[str, Any], own: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a run's settings of training. A fitted model has an epoch for each combination of the
    values that it tries, of settings that are null."""
    if info.kind != "fitted":
        return {"objective": info.kind, **settings}
    of_every = {name: value for name, value in settings.items() if name in OF_EVERY_MODEL}
    return of_every | {"objective": "fitted", "epochs": len(settings_to_try(own, info.grid))}


def _check_number(runs: int) -> None:
    if runs > MOST_RUNS:
        raise UsageError(f"That is {runs:,} runs: choose at most {MOST_RUNS:,} at a time.")


def _find(kind: str, name: str, entries: Mapping[str, Entry]) -> Entry:
    wanted = name.strip().lower()
    for entry in entries.values():
        aliases: Iterable[str] = getattr(entry, "aliases", ())
        if wanted in {entry.name, *(alias.lower() for alias in aliases)}:
            return entry
    raise UsageError(f"there is no {kind} {shown(name)}: {did_you_mean(wanted, entries)}")
