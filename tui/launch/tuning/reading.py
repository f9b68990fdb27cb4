"""What the dialog for a study reads and writes, in threads: spaces, the plan, its first trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from engine.config import Catalogue
from engine.config.spaces import parse_spaces, spaces_text
from engine.datasets.confirm import confirm
from engine.datasets.locate import is_ready
from engine.errors import DataError, UsageError, shown
from engine.machine.estimates import CostEstimate
from engine.machine.slots import Slot
from engine.planning import (
    StudyCost,
    StudyOrder,
    begin_study,
    costs_in_store,
    plan_study,
    study_cost,
)
from engine.spec import Dataset, Prune, RunSpec, Sampler, Sweep
from engine.store.connect import connect_reader
from engine.store.location import StoreLocation
from engine.store.studies import study_names
from engine.yamlfile import parse_scalar
from tui.launch.words import BY_HAND

__all__ = [
    "CostEstimate",
    "PlannedStudy",
    "Typed",
    "begin_planned",
    "plan_typed",
    "read_spaces_text",
]


@dataclass(frozen=True)
class Typed:
    """A study as it is chosen and typed, not yet checked."""

    models: tuple[str, ...]
    dataset: str
    length: int
    profile: str
    settings: Mapping[str, Sweep] = field(hash=False)
    """That all trials have."""
    name: str
    trials: str
    minutes: str
    seed: str
    final_seeds: str
    sampler: str
    prune: str
    spaces: str
    """Of all models that can be chosen, as `engine.config.spaces.spaces_text` writes them."""
    spaced: tuple[str, ...]
    """These models."""

    def order(self) -> StudyOrder:
        """Return what is ordered. Raises `UsageError` for what is no number or no space, and if it
        has no model."""
        if not self.models:
            raise UsageError(
                f"None of the models is selected on {self.dataset} at length {self.length}."
            )
        return StudyOrder(
            models=self.models,
            dataset=self.dataset,
            length=self.length,
            profile=self.profile,
            settings=self.settings,
            spaces=parse_spaces(self.spaces, self.spaced),
            trials=_whole("Trials", self.trials),
            minutes=_number("Minutes", self.minutes) if self.minutes.strip() else None,
            sampler=cast(Sampler, self.sampler),  # checked with the plan
            prune=cast(Prune, self.prune),
            seed=_whole("Seed", self.seed),
            final_seeds=_whole("Final seeds", self.final_seeds),
            name=self.name.strip() or None,
        )


@dataclass(frozen=True)
class PlannedStudy:
    """A study that can begin."""

    first: Sequence[RunSpec]
    """Its first trials."""
    cost: StudyCost
    absent: Dataset | None
    """Its data set, if that isn't on this machine and can be fetched."""

    @property
    def unknown(self) -> list[RunSpec]:
        """The first trials whose cost isn't known."""
        models = zip(self.first, self.cost.models, strict=True)
        return [trial for trial, model in models if model.cost is None]


def read_spaces_text(
    catalogue: Catalogue,
    config_dir: Path | None,
    models: Sequence[str],
    profile: str,
    fixed: Mapping[str, Sweep],
) -> str:
    """Write the configured spaces of models.

    Args:
        fixed: settings that all trials have.

    Raises:
        ConfigError: a space can't be read.
    """
    entries = [catalogue.model(name) for name in models]
    return spaces_text(entries, profile, config_dir, fixed)


def plan_typed(
    catalogue: Catalogue,
    config_dir: Path | None,
    typed: Typed,
    location: StoreLocation,
    slots: Sequence[Slot],
    measured: Mapping[str, CostEstimate],
) -> PlannedStudy:
    """Plan a study, with what it costs in the slots.

    Args:
        measured: costs by `engine.machine.estimates.cost_key`.

    Raises:
        UserError: it can't be; the sentence says why.
        DataError: its data set is neither here nor can be fetched.
        StoreError: the store can't be read.
    """
    order = typed.order()
    if not location.db.exists():
        first = plan_study(catalogue, config_dir, order)
        cost = study_cost(first, costs_in_store(None, slots, measured))
    else:
        with closing(connect_reader(location)) as connection:
            first = plan_study(catalogue, config_dir, order, study_names(connection))
            cost = study_cost(first, costs_in_store(connection, slots, measured))
    source = first[0].source
    absent = None if is_ready(source) else source
    if absent is not None and absent.archive is None:
        raise DataError(f"{source.name} isn't on this machine: {BY_HAND}")
    return PlannedStudy(first, cost, absent)


def begin_planned(location: StoreLocation, study: PlannedStudy, launcher: str | None) -> str:
    """Begin a study, and return its name.

    Args:
        launcher: where its runs go; ``None`` is this machine.

    Raises:
        DataError: the copy of its data set can't be trained on.
        UsageError: there is a study of that name by now.
        StoreError: the store can't be written.
    """
    found = confirm(study.first[0].source)
    if found is not None and not found.usable:
        raise DataError(found.sentence)
    begin_study(location, study.first, launcher)
    return study.cost.study.name


def _whole(what: str, text: str) -> int:
    value = parse_scalar(text.strip())
    if isinstance(value, bool) or not isinstance(value, int):
        raise UsageError(f"{what}: expected a whole number, not {shown(text)}.")
    return value


def _number(what: str, text: str) -> float:
    value = parse_scalar(text.strip())
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UsageError(f"{what}: expected a number, not {shown(text)}.")
    return value
