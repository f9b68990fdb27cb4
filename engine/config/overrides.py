"""Overrides of a profile's settings, such as ``lr=0.0005``, and sweeps over several values of them.

A key is a setting's name, or section and name (``training.lr``), with ``-`` or ``_``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import Any, Literal, TypeVar

from pydantic import BaseModel

from engine.config.entries import ModelEntry, Profile, SizeSettings
from engine.errors import UsageError, did_you_mean, shown
from engine.spec import Override, Overrides, RunSpec, Size, Sweep, Training, settings_class
from engine.validation import InvalidError, validate_field
from engine.yamlfile import Scalar, parse_scalar

Section = Literal["architecture", "training"]
"""The part of a `RunSpec` that a setting belongs to."""

Value = TypeVar("Value")


def overlay(below: Mapping[str, Value], above: Mapping[str, Value]) -> dict[str, Value]:
    """Merge overrides; those of ``above`` take the place of the same settings in ``below``, however
    the keys are spelled."""
    return without(below, above) | {**above}


def without(settings: Mapping[str, Value], others: Iterable[str]) -> dict[str, Value]:
    """Leave out the settings that are named, however the keys are spelled."""
    taken = set(map(setting_name, others))
    return {key: value for key, value in settings.items() if setting_name(key) not in taken}


def parsed(value: Override) -> Scalar:
    """Return the value that is meant, such as 0.001 by ``1e-3``."""
    return parse_scalar(value.strip()) if isinstance(value, str) else value


def sweep_values(sweep: Sweep) -> tuple[Override, ...]:
    """Return the values that are run, each once, as they were written first."""
    values: dict[tuple[bool, Scalar], Override] = {}
    for written in sweep if isinstance(sweep, tuple) else (sweep,):
        value = parsed(written)
        values.setdefault((isinstance(value, bool), value), written)
    return tuple(values.values())


def swept(overrides: Mapping[str, Sweep]) -> dict[str, int]:
    """Return the number of values of each setting that has several."""
    numbers = {key: len(sweep_values(sweep)) for key, sweep in overrides.items()}
    return {key: number for key, number in numbers.items() if number > 1}


def swept_settings(overrides: Mapping[str, Sweep], spec: RunSpec) -> dict[str, Any]:
    """Return the values that a run has of the settings that have several and that concern it."""
    names_of_training = OF_EVERY_MODEL if spec.fitted else Training.model_fields
    training = {name: getattr(spec.training, name) for name in names_of_training}
    settings = {**spec.architecture.settings, **training}
    names = {key: setting_name(key) for key in swept(overrides)}
    return {key: settings[name] for key, name in names.items() if name in settings}


OF_EVERY_MODEL = frozenset({"refit"})
"""Settings of training that a model that is fitted has, too."""


def is_of_training(key: str) -> bool:
    """Return whether a key names a setting of training that only a model that is trained has, and
    that no model's own is called like."""
    prefix, _, name = _normalised(key).rpartition(".")
    return prefix in ("", "training") and name in Training.model_fields.keys() - OF_EVERY_MODEL


def without_training(overrides: Mapping[str, Value]) -> dict[str, Value]:
    """Leave out the settings of training."""
    return {key: value for key, value in overrides.items() if not is_of_training(key)}


def combinations(overrides: Mapping[str, Sweep]) -> Iterator[dict[str, Override]]:
    """Yield every combination of the values of settings; the last setting's change fastest."""
    for values in product(*map(sweep_values, overrides.values())):
        yield dict(zip(overrides, values, strict=True))


def combined(
    overrides: Mapping[str, Sweep], variants: Mapping[str, Overrides]
) -> dict[str, dict[str, Sweep]]:
    """Return the overrides of each variant, by its name; of one without a name if there are none.

    Args:
        variants: overrides that go before ``overrides``, by name of the variant.
    """
    return {name: overlay(overrides, own) for name, own in (variants or {"": {}}).items()}


def ways(
    overrides: Mapping[str, Sweep], variants: Mapping[str, Overrides]
) -> list[tuple[str, dict[str, Override]]]:
    """Return how a cell is run: in each variant, by its name, every combination of the values."""
    return [
        (variant, settings)
        for variant, sweep in combined(overrides, variants).items()
        for settings in combinations(sweep)
    ]


def ways_untrained(
    overrides: Mapping[str, Sweep], variants: Mapping[str, Overrides]
) -> list[tuple[str, dict[str, Override]]]:
    """Return how a cell is run that settings of training don't concern: those of `ways` that then
    differ, by the name of the first variant that has them."""
    found: dict[frozenset[tuple[str, Override]], tuple[str, dict[str, Override]]] = {}
    own = {name: without_training(settings) for name, settings in variants.items()}
    for variant, settings in ways(without_training(overrides), own):
        found.setdefault(frozenset(settings.items()), (variant, settings))
    return list(found.values())


def combination_count(overrides: Mapping[str, Sweep], variants: Mapping[str, Overrides]) -> int:
    """Return how many runs a cell has for each seed."""
    return sum(
        math.prod(swept(settings).values()) for settings in combined(overrides, variants).values()
    )


def override_keys(entry: ModelEntry, profile: str) -> dict[str, type[BaseModel]]:
    """Return the settings of a profile that can be overridden, by name, each with the class whose
    field it is: `Training` or the model's. A model that is fitted has few of training.

    Raises:
        UsageError: the model has no such profile.
    """
    _profile(entry, profile)
    info = entry.info(profile)
    names: dict[str, type[BaseModel]] = dict.fromkeys(
        OF_EVERY_MODEL if info.kind == "fitted" else Training.model_fields, Training
    )
    kind = settings_class(info)
    return names | dict.fromkeys(kind.model_fields, kind)


def parse_override(
    entry: ModelEntry, profile: str, key: str, value: Override, called: str | None = None
) -> tuple[Section, str, Any]:
    """Parse an override ``key=value`` of a model's profile.

    Args:
        called: what a sentence about a wrong value calls the setting; by default its key.

    Returns:
        Section, the setting's name in it, and the value.

    Raises:
        UsageError: the key is unknown (names the nearest one), or the value invalid.
    """
    known = override_keys(entry, profile)
    prefix, _, name = _normalised(key).rpartition(".")
    owner = known.get(name)
    section: Section = "training" if owner is Training else "architecture"
    if owner is None and is_of_training(key):
        raise UsageError(
            f"{entry.name} is fitted, not trained: it has no setting {shown(key)} of training."
        )
    if owner is None or prefix not in ("", section):
        raise UsageError(f"{entry.name} has no setting {shown(key)}: {did_you_mean(name, known)}")
    meant = parsed(value)
    try:
        validate_field(owner, name, meant)
    except InvalidError as error:
        raise UsageError(f"{called or key}: {error.problem}") from None
    return section, name, meant


def _normalised(key: str) -> str:
    return key.replace("-", "_")


def setting_name(key: str) -> str:
    """Return the setting's name in a key: ``lr`` of ``training.lr``."""
    return _normalised(key).rpartition(".")[2]


def _profile(entry: ModelEntry, name: str) -> Profile:
    """Find a model's profile by its name. Raises `UsageError`."""
    if name not in entry.profiles:
        nearest = did_you_mean(name, entry.profiles)
        raise UsageError(f"{entry.name} has no profile {shown(name)}: {nearest}")
    return entry.profiles[name]


def profile_settings(
    entry: ModelEntry, profile_name: str, size: Size
) -> dict[Section, dict[str, Any]]:
    """Return a profile's settings for a size of data set, by section.

    Raises:
        UsageError: the model has no such profile, or that none for this size.
    """
    profile = _profile(entry, profile_name)
    if size not in profile.sizes:
        raise UsageError(
            f"{entry.name}, profile {profile_name}, has no size {size!r}: "
            f"add it under 'sizes' in its YAML."
        )
    return size_settings(profile, profile.sizes[size])


def size_settings(profile: Profile, own: SizeSettings) -> dict[Section, dict[str, Any]]:
    """Merge the settings common to all sizes with those of one size, by section."""
    return {
        "architecture": profile.architecture | own.architecture,
        "training": profile.training | own.training,
    }
