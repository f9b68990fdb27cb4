"""The spaces that studies search: the values to try of each model's settings (``configs/spaces/``,
and what the files of users' own models say)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import NoneType
from typing import Any, get_args

from pydantic import Field

from engine.config.entries import ModelEntry
from engine.config.layers import config_layers, read_entries
from engine.config.overrides import override_keys, parse_override, setting_name
from engine.errors import UsageError, shown
from engine.modelinfo import ModelInfo
from engine.spec import Name, Range, Space, Strict
from engine.validation import InvalidError, validate
from engine.yamlfile import YamlDocument, read_yaml


class SpaceEntry(Strict):
    """What is tried of a model's settings, not yet checked against the model."""

    name: Name
    """The model's."""
    space: dict[str, Any] = Field(min_length=1)
    """By setting a list of values, or ``low``, ``high`` and more (`engine.spec.Range`)."""


def load_space(entry: ModelEntry, profile: str, extra: Path | None, files: Sequence[Path]) -> Space:
    """Read what is tried of a model's settings, and check it.

    Args:
        profile: the model's, whose settings these are.
        extra: the value of ``--config-dir``.
        files: spaces that go before the configured ones, for any models.

    Raises:
        ConfigError: a file can't be read, or isn't a space.
        UsageError: there is no space for the model, or a setting or a value can't be.
    """
    own = {} if not (info := entry.info(profile)).space else {entry.name: _defined(entry, info)}
    found = {
        name: each for name, (each, _) in read_entries(
            config_layers(extra), "spaces", SpaceEntry, below=own
        ).items()
    }  # fmt: skip
    for path in files:
        document = read_yaml(path)
        try:
            given = validate(SpaceEntry, document.value)
        except InvalidError as error:
            raise document.error(error.key_path, error.problem) from None
        found[given.name] = given
    if entry.name not in found:
        raise UsageError(
            f"There is no space for {entry.name}: write one to configs/spaces/{entry.name}.yaml, or"
            " name a file by --space (docs/tuning.md)."
        )
    return checked_space(entry, profile, found[entry.name].space)


def checked_space(entry: ModelEntry, profile: str, given: Mapping[str, Any]) -> Space:
    """Check what is to be tried of the settings of a model's profile, each alone. Raises
    `UsageError`."""
    found: Space = {}
    for key, values in given.items():
        name = setting_name(key)
        if name == "refit":
            raise UsageError("refit can't be tuned: a study chooses by validation.")
        if name in found:
            raise UsageError(f"{entry.name} has {shown(name)} twice in its space.")
        found[name] = _choice(entry, profile, key, values)
    return found


def _choice(
    entry: ModelEntry, profile: str, key: str, given: Any
) -> Range | tuple[bool | int | float | str, ...]:
    if isinstance(given, Mapping):
        try:
            wanted = validate(Range, given)
        except InvalidError as error:
            raise UsageError(f"{key} of {entry.name}: {error.sentence}") from None
        for end in (wanted.low, wanted.high):
            parse_override(entry, profile, key, end)
        return _typed(wanted, whole=_kinds(entry, profile, key) == {int})
    if not isinstance(given, Sequence) or isinstance(given, str) or not given:
        raise UsageError(
            f"{key} of {entry.name}: expected a list of values, or low and high, not "
            f"{shown(str(given))}."
        )
    return tuple(parse_override(entry, profile, key, value)[2] for value in given)


def _typed(wanted: Range, *, whole: bool) -> Range:
    """Return a range whose ends are whole numbers or aren't, as the setting's values."""
    kind = int if whole else float
    step = None if wanted.step is None else kind(wanted.step)
    ends = {"low": kind(wanted.low), "high": kind(wanted.high)}
    return wanted.model_copy(update=ends | {"step": step})


def _kinds(entry: ModelEntry, profile: str, key: str) -> set[Any]:
    """Return the types of a setting's values, but for that of none."""
    owner = override_keys(entry, profile)[setting_name(key)]
    annotation = owner.model_fields[setting_name(key)].annotation
    return {each for each in get_args(annotation) or (annotation,) if each is not NoneType}


def _defined(entry: ModelEntry, info: ModelInfo) -> YamlDocument:
    """Return the space in the file of a user's own model."""
    content = {"name": entry.name, "space": dict(info.space)}
    return YamlDocument(Path(info.file or info.name), content)
