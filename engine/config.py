"""YAML in ``configs/``, read in layers, merged, and checked: what was expected, where, and the
nearest valid name.

A layer is a folder shaped like ``configs/``. The package's own comes first, then the user's
``./configs``, then ``--config-dir``. An entry of the same name in a later layer overrides the
keys that it names; a new name adds an entry.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, field_validator

from engine.errors import ConfigError, UsageError, did_you_mean, shown
from engine.metrics import REFERENCE_COLUMNS
from engine.spec import (
    ARCHITECTURES,
    CellKey,
    Dataset,
    Name,
    Overrides,
    RunSpec,
    Size,
    Strict,
    Suite,
    Training,
)
from engine.validation import InvalidError, Model, validate, validate_field
from engine.yamlfile import Place, YamlDocument, merge_documents, parse_scalar, read_yaml

MOST_RUNS = 10_000
"""That are asked for at once; a few lines of YAML can multiply to more than any machine can do."""

Override = str | int | float | bool
Section = Literal["architecture", "training"]


class SizeSettings(Strict):
    architecture: dict[str, Any] = Field(default_factory=dict)
    training: dict[str, Any] = Field(default_factory=dict)


class Profile(Strict):
    """One recipe of a model: what all sizes share, and what each size adds."""

    architecture: dict[str, Any]
    training: dict[str, Any] = Field(default_factory=dict)
    sizes: dict[Size, SizeSettings] = Field(min_length=1)


class ModelEntry(Strict):
    name: Name
    title: str
    aliases: tuple[str, ...] = ()
    paper: str = ""
    profiles: dict[str, Profile] = Field(min_length=1)


class ReferenceCell(Strict):
    model: Name
    dataset: Name
    length: int
    figures: dict[str, float]


class ReferenceTable(Strict):
    """Published figures, cell by cell; a figure that is not known is absent."""

    name: Name
    title: str
    source: str
    suite: str | None = None
    ranking: Literal["all-items", "seen-masked"]
    aggregate: Literal["max", "best", "last", "mean"]
    split: str = ""
    cells: tuple[ReferenceCell, ...]


class Slots(Strict):
    gpu: int = Field(default=1, ge=1, le=64)
    cpu: int | Literal["auto"] = "auto"


class Settings(Strict):
    """How this machine works the queue."""

    slots: Slots = Slots()
    retries: int = Field(default=3, ge=0, le=100)
    """How often a run whose process vanishes is tried again by itself."""
    pause_after: int = Field(default=3, ge=0, le=1000)
    """The queue pauses when so many runs die within a minute of one cause; 0: never."""
    idle_seconds: float = Field(default=30, ge=0)
    notify: Literal["unfocused", "always", "never"] = "unfocused"
    """When the terminal rings for a run that failed or a suite that ended. ``unfocused`` needs a
    terminal that tells whether it has the focus."""
    webhook: str | None = Field(default=None, max_length=2_000)
    """Where the supervisor reports the same."""

    @field_validator("webhook")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        if value is not None and not _is_web_address(value):
            raise ValueError("expected an address such as https://example.org/hook.")
        return value


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - raises if it is none
    except ValueError:
        return False
    readable = text.isascii() and text.isprintable() and " " not in text
    return readable and parts.scheme in ("http", "https") and bool(parts.hostname)


@dataclass(frozen=True)
class Catalogue:
    """Everything that is configured, by name."""

    models: dict[str, ModelEntry]
    datasets: dict[str, Dataset]
    suites: dict[str, Suite]
    references: dict[str, ReferenceTable]
    settings: Settings = field(default_factory=Settings)

    def model(self, name: str) -> ModelEntry:
        """Find by name or alias, in any case. Raises `UsageError`."""
        return _find("model", name, self.models)

    def dataset(self, name: str) -> Dataset:
        """Find by name or alias, in any case. Raises `UsageError`."""
        return _find("data set", name, self.datasets)

    def suite(self, name: str) -> Suite:
        """Find by name, in any case. Raises `UsageError`."""
        return _find("suite", name, self.suites)

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
        """Put one run's configuration together: profile, then size, then overrides.

        Raises:
            UsageError: a name that isn't known, or a value that is impossible.
        """
        entry, source = self.model(model), self.dataset(dataset)
        settings = _settings(entry, profile, source.size)
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
            # A sentence about several settings at once names them itself.
            key = str(error.place[-1]) if error.place else ""
            where = f"{key}: " if key and key not in settings else ""
            cell = f"{entry.name} × {source.name} × {length}"
            raise UsageError(f"{cell}: {where}{error.problem}") from None

    def cells(self, suite: Suite) -> list[CellKey]:
        """The cells of a suite, under their proper names, each once.

        Raises:
            UsageError: a name isn't known, or no cell is left.
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
        """Every run of a suite: cell by cell, variant by variant, seed by seed.

        Raises:
            UsageError: a combination is impossible, or there are too many.
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


def overlay(below: Overrides, above: Overrides) -> Overrides:
    """Both, ``above`` taking precedence, in whichever of its spellings a key is written."""
    taken = {_bare(key) for key in above}
    return {key: value for key, value in below.items() if _bare(key) not in taken} | above


def builtin_configs() -> Path:
    """The configuration that seqbench ships: inside the wheel, or the checkout's ``configs/``."""
    packaged = Path(__file__).parent / "configs"
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / "configs"


def config_layers(extra: Path | None = None) -> list[Path]:
    """The folders to read, lowest first. ``SEQBENCH_CONFIG`` stands in for ``--config-dir``.

    Raises:
        ConfigError: ``extra`` isn't a folder.
    """
    layers = [builtin_configs()]
    local = Path.cwd() / "configs"
    if local.is_dir() and local.resolve() != layers[0].resolve():
        layers.append(local)
    chosen = extra or (Path(v) if (v := os.environ.get("SEQBENCH_CONFIG")) else None)
    if chosen is not None:
        if not chosen.is_dir():
            raise ConfigError(f"{chosen} is not a folder: --config-dir takes one like configs/.")
        layers.append(chosen)
    return layers


def user_layer(extra: Path | None = None) -> Path:
    """The folder that the user's own configuration goes into; it need not be there yet.

    Raises:
        ConfigError: ``extra`` isn't a folder.
    """
    config_layers(extra)
    chosen = extra or (Path(v) if (v := os.environ.get("SEQBENCH_CONFIG")) else None)
    return chosen or Path.cwd() / "configs"


def entry_files(folder: Path) -> dict[str, Path]:
    """Where the entries of one folder of a layer stand, by name. Raises `ConfigError`."""
    return {name: document.path for name, document in _layer(folder).items()}


def load_catalogue(extra: Path | None = None) -> Catalogue:
    """Read and check all configuration.

    Raises:
        ConfigError: with file, line, key, what was expected and the nearest valid name.
    """
    layers = config_layers(extra)
    models = _load(layers, "models", ModelEntry)
    datasets = _load(layers, "datasets", Dataset)
    suites = _load(layers, "suites", Suite)
    references = _load(layers, "reference", ReferenceTable)
    catalogue = Catalogue(
        models=_entries(models),
        datasets=_entries(datasets),
        suites=_entries(suites),
        references=_entries(references),
        settings=_load_settings(layers),
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


def override_keys(entry: ModelEntry, profile: str) -> dict[str, type[BaseModel]]:
    """What ``--set`` takes for a model, by short name."""
    model = ARCHITECTURES[_profile(entry, profile).architecture["model"]]
    names: dict[str, type[BaseModel]] = dict.fromkeys(Training.model_fields, Training)
    return names | dict.fromkeys(model.model_fields.keys() - {"model"}, model)


def parse_override(
    entry: ModelEntry, profile: str, key: str, value: Override
) -> tuple[Section, str, Any]:
    """Check one ``key=value``; ``training.lr`` and ``lr`` are the same key.

    Raises:
        UsageError: an unknown key (with the nearest one), or a value of the wrong kind.
    """
    known = override_keys(entry, profile)
    prefix, _, name = _spelt(key).rpartition(".")
    owner = known.get(name)
    section: Section = "training" if owner is Training else "architecture"
    if owner is None or prefix not in ("", section):
        raise UsageError(f"{entry.name} has no setting {shown(key)}: {did_you_mean(name, known)}")
    parsed = parse_scalar(value.strip()) if isinstance(value, str) else value
    try:
        validate_field(owner, name, parsed)
    except InvalidError as error:
        raise UsageError(f"{key}: {error.problem}") from None
    return section, name, parsed


def _spelt(key: str) -> str:
    return key.replace("-", "_")


def _bare(key: str) -> str:
    return _spelt(key).rpartition(".")[2]


def _profile(entry: ModelEntry, name: str) -> Profile:
    if name not in entry.profiles:
        nearest = did_you_mean(name, entry.profiles)
        raise UsageError(f"{entry.name} has no profile {shown(name)}: {nearest}")
    return entry.profiles[name]


def _settings(entry: ModelEntry, profile_name: str, size: Size) -> dict[Section, dict[str, Any]]:
    profile = _profile(entry, profile_name)
    if size not in profile.sizes:
        raise UsageError(
            f"{entry.name}, profile {profile_name}, has no size {size!r}: "
            f"add it under 'sizes' in its YAML."
        )
    return _sized(profile, profile.sizes[size])


def _sized(profile: Profile, own: SizeSettings) -> dict[Section, dict[str, Any]]:
    return {
        "architecture": profile.architecture | own.architecture,
        "training": profile.training | own.training,
    }


Entry = TypeVar("Entry", ModelEntry, Dataset, Suite, ReferenceTable)
Loaded = dict[str, tuple[Entry, YamlDocument]]
Aliased = TypeVar("Aliased", ModelEntry, Dataset)


def _entries(loaded: Loaded[Entry]) -> dict[str, Entry]:
    return {name: entry for name, (entry, _) in loaded.items()}


def _find(kind: str, name: str, entries: Mapping[str, Entry]) -> Entry:
    wanted = name.strip().lower()
    for entry in entries.values():
        aliases: Iterable[str] = getattr(entry, "aliases", ())
        if wanted in {entry.name, *(alias.lower() for alias in aliases)}:
            return entry
    raise UsageError(f"there is no {kind} {shown(name)}: {did_you_mean(wanted, entries)}")


def _load(layers: Sequence[Path], folder: str, kind: type[Entry]) -> Loaded[Entry]:
    documents: dict[str, YamlDocument] = {}
    for layer in layers:
        for name, document in _layer(layer / folder).items():
            below = documents.get(name)
            documents[name] = merge_documents(below, document) if below else document
    return {name: (_validated(kind, doc), doc) for name, doc in sorted(documents.items())}


def _layer(folder: Path) -> dict[str, YamlDocument]:
    """The entries of one folder, by name."""
    documents: dict[str, YamlDocument] = {}
    for path in sorted(folder.glob("[!.]*.y*ml")):
        document = read_yaml(path)
        name = document.value.get("name")
        if not isinstance(name, str):
            raise document.error(("name",), "every entry needs its name, as text.")
        if name in documents:
            raise document.error(
                ("name",), f"{documents[name].path} has the name {shown(name)} too."
            )
        documents[name] = document
    return documents


def _load_settings(layers: Sequence[Path]) -> Settings:
    merged: YamlDocument | None = None
    for layer in layers:
        path = layer / "settings.yaml"
        if path.exists():
            document = read_yaml(path)
            merged = merge_documents(merged, document) if merged else document
    return _validated(Settings, merged) if merged else Settings()


def _validated(kind: type[Model], document: YamlDocument) -> Model:
    try:
        return validate(kind, document.value)
    except InvalidError as error:
        raise document.error(error.place, error.problem) from None


def _check_aliases(loaded: Loaded[Aliased]) -> None:
    owners = {name: name for name in loaded}
    for entry, document in loaded.values():
        for index, alias in enumerate(entry.aliases):
            owner = owners.setdefault(alias.lower(), entry.name)
            if owner != entry.name:
                raise document.error(("aliases", index), f"{shown(alias)} names {owner} already.")


def _check_profiles(entry: ModelEntry, document: YamlDocument) -> None:
    """Each size of each profile must make a model, so that a mistake shows at load."""
    for profile_name, profile in entry.profiles.items():
        at: Place = ("profiles", profile_name)
        architecture = str(profile.architecture.get("model"))
        if architecture not in ARCHITECTURES:
            place = (*at, "architecture", "model")
            raise document.error(place, did_you_mean(architecture, ARCHITECTURES))
        kinds: dict[Section, type[BaseModel]] = {
            "architecture": ARCHITECTURES[architecture],
            "training": Training,
        }
        for size, own in profile.sizes.items():
            for section, settings in _sized(profile, own).items():
                try:
                    validate(kinds[section], settings)
                except InvalidError as error:
                    inherited = error.place[:1] and error.place[0] not in getattr(own, section)
                    base = at if inherited else (*at, "sizes", size)
                    raise document.error((*base, section, *error.place), error.problem) from None


def _check_suite(catalogue: Catalogue, suite: Suite, document: YamlDocument) -> None:
    _check_names(suite.models, catalogue.model, document, "models")
    _check_names(suite.datasets, catalogue.dataset, document, "datasets")
    _check_cells(catalogue, suite, document)
    for model in map(catalogue.model, suite.models):
        if suite.profile not in model.profiles:
            problem = f"{model.name} has {', '.join(model.profiles)}, not {shown(suite.profile)}."
            raise document.error(("profile",), problem)
        variants = {("variants", name): changes for name, changes in suite.variants.items()}
        for place, overrides in ({("overrides",): suite.overrides} | variants).items():
            for key, value in overrides.items():
                try:
                    parse_override(model, suite.profile, key, value)
                except UsageError as error:
                    raise document.error((*place, key), str(error)) from None
    try:
        catalogue.expand(suite)
    except UsageError as error:
        raise document.error((), str(error)) from None


def _check_cells(catalogue: Catalogue, suite: Suite, document: YamlDocument) -> None:
    """Each must be one of the combinations that the suite spans."""
    spanned = set(catalogue.cells(suite.model_copy(update={"cells": ()})))
    for index, (model, dataset, length) in enumerate(suite.cells):
        try:
            cell = (catalogue.model(model).name, catalogue.dataset(dataset).name, length)
        except UsageError as error:
            raise document.error(("cells", index), str(error)) from None
        if cell not in spanned:
            problem = f"{' × '.join(map(str, cell))} is none of its models, datasets and lengths."
            raise document.error(("cells", index), problem)


def _check_reference(catalogue: Catalogue, table: ReferenceTable, document: YamlDocument) -> None:
    seen: set[tuple[str, str, int]] = set()
    for index, cell in enumerate(table.cells):
        at: Place = ("cells", index)
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
            raise document.error(at, "this cell stands twice.")
        seen.add(identity)


def _check_names(
    names: Iterable[str], find: Callable[[str], object], document: YamlDocument, key: str
) -> None:
    for index, name in enumerate(names):
        try:
            find(name)
        except UsageError as error:
            raise document.error((key, index), str(error)) from None
