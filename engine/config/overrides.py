"""Overrides of a profile's settings, such as ``lr=0.0005``.

A key is a setting's name, or section and name (``training.lr``), with ``-`` or ``_``.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel

from engine.config.entries import ModelEntry, Profile, SizeSettings
from engine.errors import UsageError, did_you_mean, shown
from engine.spec import ARCHITECTURES, Overrides, Size, Training
from engine.validation import InvalidError, validate_field
from engine.yamlfile import parse_scalar

Override = str | int | float | bool
"""The value of an override: as text, which is parsed as in YAML, or typed."""
Section = Literal["architecture", "training"]
"""The part of a `RunSpec` that a setting belongs to."""


def overlay(below: Overrides, above: Overrides) -> Overrides:
    """Merge overrides; those of ``above`` take the place of the same settings in ``below``, however
    the keys are spelled."""
    taken = {_bare(key) for key in above}
    return {key: value for key, value in below.items() if _bare(key) not in taken} | above


def override_keys(entry: ModelEntry, profile: str) -> dict[str, type[BaseModel]]:
    """Return the settings of a profile that can be overridden, by name, each with the class whose
    field it is: `Training` or an architecture.

    Raises:
        UsageError: the model has no such profile.
    """
    model = ARCHITECTURES[_profile(entry, profile).architecture["model"]]
    names: dict[str, type[BaseModel]] = dict.fromkeys(Training.model_fields, Training)
    return names | dict.fromkeys(model.model_fields.keys() - {"model"}, model)


def parse_override(
    entry: ModelEntry, profile: str, key: str, value: Override
) -> tuple[Section, str, Any]:
    """Parse an override ``key=value`` of a model's profile.

    Returns:
        Section, the setting's name in it, and the value.

    Raises:
        UsageError: the key is unknown (names the nearest one), or the value invalid.
    """
    known = override_keys(entry, profile)
    prefix, _, name = _normalised(key).rpartition(".")
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


def _normalised(key: str) -> str:
    return key.replace("-", "_")


def _bare(key: str) -> str:
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
