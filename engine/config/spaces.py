"""The spaces that studies search: the values to try of each model's settings (``configs/spaces/``,
and what the files of users' own models say)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import NoneType
from typing import Any, get_args

from pydantic import Field

from engine.config.entries import ModelEntry
from engine.config.layers import config_layers, read_entries
from engine.config.overrides import override_keys, parse_override, setting_name, without
from engine.errors import UsageError, did_you_mean, shown
from engine.modelinfo import ModelInfo
from engine.spec import Name, Range, Space, Strict
from engine.validation import InvalidError, validate
from engine.yamlfile import YamlDocument, parse_yaml, read_yaml, to_yaml

Given = Mapping[str, Mapping[str, Any]]
"""What is tried of the settings of models, by model, not yet checked against these."""

TO_WRITE = "write what is tried of its settings, such as lr: [0.01, 0.001]."


class SpaceEntry(Strict):
    """What is tried of a model's settings, not yet checked against the model."""

    name: Name
    """The model's."""
    space: dict[str, Any] = Field(min_length=1)
    """By setting a list of values, or ``low``, ``high`` and more (`engine.spec.Range`)."""


def read_spaces(files: Sequence[Path]) -> Given:
    """Read files of spaces, each of one model; of two for a model the last one counts.

    Raises:
        ConfigError: a file can't be read, or isn't a space.
    """
    found = {}
    for path in files:
        document = read_yaml(path)
        try:
            given = validate(SpaceEntry, document.value)
        except InvalidError as error:
            raise document.error(error.key_path, error.problem) from None
        found[given.name] = given.space
    return found


def parse_spaces(text: str, models: Collection[str]) -> Given:
    """Parse the spaces of models as `spaces_text` writes them.

    Args:
        models: those that must have one.

    Raises:
        ConfigError: it isn't YAML, or a model is missing, unknown or has nothing to try.
    """
    document = parse_yaml(text, "space")
    for name, space in document.value.items():
        if name not in models:
            raise document.error((name,), f"isn't tuned here: {did_you_mean(name, models)}")
        if not isinstance(space, Mapping) or not space:
            raise document.error((name,), TO_WRITE)
    for name in models:
        if name not in document.value:
            raise document.error((), f"there is no {name}: {TO_WRITE}")
    return document.value


def spaces_text(
    entries: Sequence[ModelEntry], profile: str, extra: Path | None, fixed: Collection[str] = ()
) -> str:
    """Write the configured spaces of models as YAML, by model; nothing for one that has none.

    Args:
        profile: the models', whose settings these are.
        extra: the value of ``--config-dir``.
        fixed: keys of settings that aren't tried.

    Raises:
        ConfigError: a file of the configuration can't be read, or isn't a space.
    """
    found = {entry.name: _configured(entry, profile, extra) or {} for entry in entries}
    return to_yaml({name: without(space, fixed) for name, space in found.items()})


def load_space(entry: ModelEntry, profile: str, extra: Path | None, given: Given) -> Space:
    """Read what is tried of a model's settings, and check it.

    Args:
        profile: the model's, whose settings these are.
        extra: the value of ``--config-dir``.
        given: spaces that go before the configured ones, for any models.

    Raises:
        ConfigError: a file can't be read, or isn't a space.
        UsageError: there is no space for the model, or a setting or a value can't be.
    """
    found = given[entry.name] if entry.name in given else _configured(entry, profile, extra)
    if found is None:
        raise UsageError(
            f"There is no space for {entry.name}: write one to configs/spaces/{entry.name}.yaml, or"
            " name a file by --space (docs/tuning.md)."
        )
    return checked_space(entry, profile, found)


def _configured(entry: ModelEntry, profile: str, extra: Path | None) -> Mapping[str, Any] | None:
    """Return what the configuration says is tried of a model; else its file, if it says so."""
    info = entry.info(profile)
    own = {} if not info.space else {entry.name: _defined(entry, info)}
    found = read_entries(config_layers(extra), "spaces", SpaceEntry, below=own)
    return found[entry.name][0].space if entry.name in found else None


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
    called = f"{key} of {entry.name}"
    if isinstance(given, Mapping):
        try:
            wanted = validate(Range, given)
        except InvalidError as error:
            raise UsageError(f"{called}: {error.sentence}") from None
        for end in (wanted.low, wanted.high):
            parse_override(entry, profile, key, end, called)
        whole = _kinds(entry, profile, key) == {int}
        if whole and wanted.step is not None and wanted.step % 1:
            raise UsageError(f"{called}: step: expected a whole number, not {wanted.step}.")
        return _typed(wanted, whole=whole)
    if not isinstance(given, Sequence) or isinstance(given, str) or not given:
        raise UsageError(
            f"{called}: expected a list of values, or low and high, not {shown(str(given))}."
        )
    values = tuple(parse_override(entry, profile, key, value, called)[2] for value in given)
    for place, value in enumerate(values):
        if value in values[:place]:
            raise UsageError(f"{called} has {shown(str(value))} twice.")
    return values


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
