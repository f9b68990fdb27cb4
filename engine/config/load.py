"""Loading the catalogue, and checking the references between its entries."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from engine.config.catalogue import Catalogue
from engine.config.entries import ModelEntry, ReferenceTable
from engine.config.launchers import SlurmProfile
from engine.config.layers import Loaded, config_layers, read_entries, read_settings
from engine.config.overrides import Section, parse_override, size_settings, sweep_values
from engine.errors import UsageError, did_you_mean, shown
from engine.metrics import REFERENCE_COLUMNS
from engine.spec import ARCHITECTURES, Dataset, Suite, Training
from engine.validation import InvalidError, validate
from engine.yamlfile import KeyPath, YamlDocument

Entry = TypeVar("Entry", bound=BaseModel)
Aliased = TypeVar("Aliased", ModelEntry, Dataset)


def load_catalogue(extra: Path | None = None) -> Catalogue:
    """Read and check all configuration.

    Args:
        extra: the value of ``--config-dir``.

    Raises:
        ConfigError: names file, line and key, what was expected and the nearest valid name.
    """
    layers = config_layers(extra)
    models = read_entries(layers, "models", ModelEntry)
    datasets = read_entries(layers, "datasets", Dataset)
    suites = read_entries(layers, "suites", Suite)
    references = read_entries(layers, "reference", ReferenceTable, real=Decimal)
    catalogue = Catalogue(
        models=_entries(models),
        datasets=_entries(datasets),
        suites=_entries(suites),
        references=_entries(references),
        settings=read_settings(layers),
        launchers=load_launchers(extra),
    )
    _check_aliases(models)
    _check_aliases(datasets)
    for entry, document in models.values():
        _check_profiles(entry, document)
    for suite, document in suites.values():
        _check_suite(catalogue, suite, document)
    for table, document in references.values():
        _check_reference(catalogue, table, document)
    return catalogue


def load_launchers(extra: Path | None = None) -> dict[str, SlurmProfile]:
    """Read only the launchers. Raises `ConfigError`."""
    return _entries(read_entries(config_layers(extra), "launchers", SlurmProfile))


def _entries(loaded: Loaded[Entry]) -> dict[str, Entry]:
    return {name: entry for name, (entry, _) in loaded.items()}


def _check_aliases(loaded: Loaded[Aliased]) -> None:
    owners = {name: name for name in loaded}
    for entry, document in loaded.values():
        for index, alias in enumerate(entry.aliases):
            owner = owners.setdefault(alias.lower(), entry.name)
            if owner != entry.name:
                raise document.error(("aliases", index), f"{shown(alias)} names {owner} already.")


def _check_profiles(entry: ModelEntry, document: YamlDocument) -> None:
    """Check that every size of every profile is valid. Raises `ConfigError`."""
    for profile_name, profile in entry.profiles.items():
        at: KeyPath = ("profiles", profile_name)
        architecture = str(profile.architecture.get("model"))
        if architecture not in ARCHITECTURES:
            path = (*at, "architecture", "model")
            raise document.error(path, did_you_mean(architecture, ARCHITECTURES))
        kinds: dict[Section, type[BaseModel]] = {
            "architecture": ARCHITECTURES[architecture],
            "training": Training,
        }
        for size, own in profile.sizes.items():
            for section, settings in size_settings(profile, own).items():
                try:
                    validate(kinds[section], settings)
                except InvalidError as error:
                    path = error.key_path
                    inherited = path[:1] and path[0] not in getattr(own, section)
                    base = at if inherited else (*at, "sizes", size)
                    raise document.error((*base, section, *path), error.problem) from None


def _check_suite(catalogue: Catalogue, suite: Suite, document: YamlDocument) -> None:
    _check_names(suite.models, catalogue.model, document, "models")
    _check_names(suite.datasets, catalogue.dataset, document, "datasets")
    _check_cells(catalogue, suite, document)
    for model in map(catalogue.model, suite.models):
        if suite.profile not in model.profiles:
            problem = f"{model.name} has {', '.join(model.profiles)}, not {shown(suite.profile)}."
            raise document.error(("profile",), problem)
        variants = {("variants", name): changes for name, changes in suite.variants.items()}
        for path, overrides in ({("overrides",): suite.overrides} | variants).items():
            for key, value in overrides.items():
                try:
                    for one in sweep_values(value):
                        parse_override(model, suite.profile, key, one)
                except UsageError as error:
                    raise document.error((*path, key), str(error)) from None
    try:
        catalogue.expand(suite)
    except UsageError as error:
        raise document.error((), str(error)) from None


def _check_cells(catalogue: Catalogue, suite: Suite, document: YamlDocument) -> None:
    """Check that each of a suite's cells is one of its combinations. Raises `ConfigError`."""
    spanned = set(catalogue.cells(suite.model_copy(update={"cells": ()})))
    for index, (model, dataset, length) in enumerate(suite.cells):
        try:
            cell = (catalogue.model(model).name, catalogue.dataset(dataset).name, length)
        except UsageError as error:
            raise document.error(("cells", index), str(error)) from None
        if cell not in spanned:
            problem = f"{' × '.join(map(str, cell))} isn't one of its models, datasets and lengths."
            raise document.error(("cells", index), problem)


def _check_reference(catalogue: Catalogue, table: ReferenceTable, document: YamlDocument) -> None:
    seen: set[tuple[str, str, int]] = set()
    for index, cell in enumerate(table.cells):
        at: KeyPath = ("cells", index)
        for key, known in (("model", catalogue.models), ("dataset", catalogue.datasets)):
            name = getattr(cell, key)
            if name not in known:
                raise document.error((*at, key), f"{shown(name)}: {did_you_mean(name, known)}")
        for figure in cell.figures:
            if figure not in REFERENCE_COLUMNS:
                raise document.error(
                    (*at, "figures", figure), did_you_mean(figure, REFERENCE_COLUMNS)
                )
        if (identity := (cell.model, cell.dataset, cell.length)) in seen:
            raise document.error(at, "this cell is listed twice.")
        seen.add(identity)


def _check_names(
    names: Iterable[str], find: Callable[[str], object], document: YamlDocument, key: str
) -> None:
    for index, name in enumerate(names):
        try:
            find(name)
        except UsageError as error:
            raise document.error((key, index), str(error)) from None
