"""Loading the catalogue, and checking the references between its entries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from engine.config.catalogue import Catalogue
from engine.config.entries import ModelEntry, Settings
from engine.config.launchers import SlurmProfile
from engine.config.layers import Loaded, config_layers, model_folders, read_entries, read_settings
from engine.config.overrides import (
    Section,
    is_of_training,
    parse_override,
    size_settings,
    sweep_values,
)
from engine.config.published import METRIC_TITLES, PublishedTable, metric_and_k
from engine.errors import UsageError, UserError, did_you_mean, shown
from engine.metrics import REFERENCE_COLUMNS
from engine.modelinfo import ModelInfo, builtin_infos, facts_of, own_infos
from engine.modelinfo.find import keep_copies
from engine.spec import Dataset, Size, Suite, Training, settings_class
from engine.validation import InvalidError, validate
from engine.yamlfile import KeyPath, YamlDocument

Entry = TypeVar("Entry", bound=BaseModel)
Aliased = TypeVar("Aliased", ModelEntry, Dataset)

PUBLISHED = ("reference", "published")
"""Folders of published results; earlier versions read the first only."""


def load_catalogue(
    extra: Path | None = None,
    model_paths: Sequence[Path] = (),
    *,
    wait: bool = True,
    published: bool = True,
) -> Catalogue:
    """Read and check all configuration.

    Args:
        extra: the value of ``--config-dir``.
        model_paths: those of ``--model-path``, files and folders of models.
        wait: describe models that aren't known yet; else they have a problem.
        published: whether to read published results, which take longer than all the rest.

    Raises:
        ConfigError: names file, line and key, what was expected and the nearest valid name.
    """
    layers = config_layers(extra)
    infos = {**builtin_infos(), **own_infos(model_folders(extra), model_paths, wait=wait)}
    usable = {name: info for name, info in infos.items() if not info.problem}
    defined = {name: _defined(info) for name, info in usable.items()}
    models = {
        name: (entry.knowing(infos), document)
        for name, (entry, document) in read_entries(
            layers, "models", ModelEntry, below=defined
        ).items()
    }
    datasets = read_entries(layers, "datasets", Dataset)
    suites = read_entries(layers, "suites", Suite)
    catalogue = Catalogue(
        models=_entries(models),
        datasets=_entries(datasets),
        suites=_entries(suites),
        published={},
        settings=read_settings(layers),
        launchers=load_launchers(extra),
        infos=infos,
    )
    _check_aliases(models)
    _check_aliases(datasets)
    for entry, document in models.values():
        if document.lines:  # else it is what its definition says, which was checked there
            _check_profiles(entry, document, usable)
    for suite, document in suites.values():
        _check_suite(catalogue, suite, document)
    return with_published(catalogue, extra) if published else catalogue


def with_published(catalogue: Catalogue, extra: Path | None = None) -> Catalogue:
    """Return a catalogue with the published results, which are read and checked.

    Args:
        extra: the value of ``--config-dir``.

    Raises:
        ConfigError: as `load_catalogue`.
    """
    published = read_entries(config_layers(extra), PUBLISHED, PublishedTable, real=Decimal)
    for table, document in published.values():
        _check_published(catalogue, table, document)
    return replace(catalogue, published=_entries(published))


def keep_models(extra: Path | None = None, model_paths: Sequence[Path] = ()) -> None:
    """See to it that runs may run the user's model files as they are now; of folders that can't be
    read, none.

    Args:
        extra, model_paths: as for `load_catalogue`.
    """
    with suppress(UserError):
        keep_copies(model_folders(extra), model_paths)


def load_settings(extra: Path | None = None) -> Settings:
    """Read only the settings. Raises `ConfigError`."""
    return read_settings(config_layers(extra))


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


def _defined(info: ModelInfo) -> YamlDocument:
    """Return a model's entry as its definition has it."""
    profiles = {
        name: profile | {"architecture": profile["architecture"] | {"model": info.name}}
        for name, profile in info.profiles.items()
    }
    content = {
        "name": info.name,
        "title": info.title,
        "aliases": info.aliases,
        "paper": info.paper,
        "profiles": profiles,
    }
    return YamlDocument(Path(info.file or info.name), content)


def _check_profiles(
    entry: ModelEntry, document: YamlDocument, infos: Mapping[str, ModelInfo]
) -> None:
    """Check that every size of every profile is valid. Raises `ConfigError`."""
    for profile_name, profile in entry.profiles.items():
        at: KeyPath = ("profiles", profile_name)
        model = str(profile.architecture.get("model"))
        if model not in infos:
            raise document.error((*at, "architecture", "model"), did_you_mean(model, infos))
        own_class = settings_class(infos[model])
        kinds: dict[Section, type[BaseModel]] = {"architecture": own_class, "training": Training}
        whole: dict[Size, dict[str, Any]] = {}
        for size, own in profile.sizes.items():
            for section, settings in size_settings(profile, own).items():
                settings.pop("model", None)
                try:
                    found = validate(kinds[section], settings)
                except InvalidError as error:
                    path = error.key_path
                    inherited = path[:1] and path[0] not in getattr(own, section)
                    base = at if inherited else (*at, "sizes", size)
                    raise document.error((*base, section, *path), error.problem) from None
                if section == "architecture":
                    whole[size] = found.model_dump()
        for size, facts in zip(whole, facts_of(infos[model], [*whole.values()]), strict=True):
            if facts.problem:
                raise document.error((*at, "sizes", size, "architecture"), f"{facts.problem}.")


def _check_suite(catalogue: Catalogue, suite: Suite, document: YamlDocument) -> None:
    _check_names(suite.models, catalogue.model, document, "models")
    _check_names(suite.datasets, catalogue.dataset, document, "datasets")
    _check_cells(catalogue, suite, document)
    models = [catalogue.model(name) for name in suite.models]
    untrained = catalogue.untrained([model.name for model in models], suite.profile)
    for model in models:
        if suite.profile not in model.profiles:
            problem = f"{model.name} has {', '.join(model.profiles)}, not {shown(suite.profile)}."
            raise document.error(("profile",), problem)
        variants = {("variants", name): changes for name, changes in suite.variants.items()}
        for path, overrides in ({("overrides",): suite.overrides} | variants).items():
            for key, value in overrides.items():
                if model.name in untrained and is_of_training(key):
                    continue
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


def _check_published(catalogue: Catalogue, table: PublishedTable, document: YamlDocument) -> None:
    """Check that cells name what there is, each once. Raises `ConfigError`."""
    known = {
        "model": [*catalogue.models, *table.models],
        "dataset": [*catalogue.datasets, *table.datasets],
    }
    seen = set()
    for index, cell in enumerate(table.cells):
        at: KeyPath = ("cells", index)
        for key, names in known.items():
            name = getattr(cell, key)
            if name not in names:
                problem = f"{shown(name)}: {did_you_mean(name, names)}"
                raise document.error((*at, key), f"{problem} Or add it to '{key}s'.")
        for figure in cell.figures:
            if figure not in REFERENCE_COLUMNS and metric_and_k(figure) is None:
                names = [*REFERENCE_COLUMNS, *(f"{name}@10" for name in METRIC_TITLES)]
                raise document.error((*at, "figures", figure), did_you_mean(figure, names))
        identity = (cell.model, cell.dataset, cell.label, table.protocol_of(cell))
        if identity in seen:
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
