"""The settings of runs that ``--set`` takes: their names, and the values that a run has."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from types import NoneType
from typing import Any, Literal, get_args

from engine.modelinfo import builtin_infos
from engine.modelinfo.own_settings import (
    ModelSetting,
    ValueKind,
    either_kind,
    own_settings,
    settings_in,
)
from engine.spec.architecture import default_settings
from engine.spec.identity import digest
from engine.spec.training import Training

Scalar = int | float | str

TAKEN = frozenset({"dtype", "epochs", "loss"})
"""Settings whose name a figure or a fact of runs has too: these go by their section as well."""

_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting of training, or of the architecture of one model or several."""

    name: str
    section: Literal["training", "architecture"]
    kind: ValueKind
    """Of its values; truth values are texts."""
    about: str
    """Its meaning; empty if nobody says it."""

    @property
    def full_name(self) -> str:
        """Section and name, such as ``training.lr``."""
        return f"{self.section}.{self.name}"

    @property
    def title(self) -> str:
        """The name of its column and field: short, unless that is `TAKEN`."""
        return self.full_name if self.name in TAKEN else self.name


def every_setting() -> Mapping[str, Setting]:
    """Return all settings by title: `SETTINGS`, then those of users' own models
    (`engine.modelinfo.own_settings`)."""
    return _with(own_settings())


@cache
def _with(own: Sequence[ModelSetting]) -> Mapping[str, Setting]:
    found = {
        name: Setting(name, "training", _kind(field.annotation), _about(field.description))
        for name, field in Training.model_fields.items()
    }
    meanings: dict[str, dict[str, list[str]]] = {}
    """The models that give a setting a meaning, by name and meaning."""
    for info in builtin_infos().values():
        for each in settings_in(info.schema):
            _add(found, each)
            meanings.setdefault(each.name, {}).setdefault(each.about, []).append(info.name)
    for name, texts in meanings.items():
        several = [f"{', '.join(models)}: {text}" for text, models in texts.items()]
        about = " ".join(several) if len(texts) > 1 else next(iter(texts))
        found[name] = replace(found[name], about=_about(about))
    for each in own:
        _add(found, each)
    return {setting.title: setting for setting in found.values()}


def _add(found: dict[str, Setting], each: ModelSetting) -> None:
    before = found.get(each.name)
    if before is None:
        found[each.name] = Setting(each.name, "architecture", each.kind, _about(each.about))
    elif before.section == "architecture":
        found[each.name] = replace(before, kind=either_kind(before.kind, each.kind))


def _kind(annotation: Any) -> ValueKind:
    kinds = {each for each in get_args(annotation) or (annotation,) if each is not NoneType}
    if kinds == {int}:
        return "whole"
    return "real" if kinds <= {int, float} else "text"


def _about(text: str | None) -> str:
    return " ".join((text or "").replace("``", "").split())


SETTINGS = _with(())
"""By title: those of training first, then those of the models that come with seqbench."""


_TRAINING = {
    name: field.default
    for name, field in Training.model_fields.items()
    if not field.is_required() and name != "refit"  # which only refits have
}


def values_of(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a run's settings by name, those of training first.

    Args:
        content: a `RunSpec` as JSON, of this version or another. A setting that it lacks has its
            default.
    """
    training, architecture = content.get("training"), content.get("architecture")
    found = _TRAINING | (dict(training) if isinstance(training, Mapping) else {})
    if found["objective"] == "fitted":
        # Such a model has no use for the others.
        found = {name: found[name] for name in ("objective", "refit") if name in found}
    found |= default_settings(content)
    found |= architecture if isinstance(architecture, Mapping) else {}
    found.pop("model", None)
    return found


def stored_settings(content: Mapping[str, Any]) -> tuple[int, dict[str, Scalar]] | None:
    """Return a run's settings as the store keeps them, and the number that stands for them all.

    Runs have the same number if they have the same settings. Truth values are the texts ``true``
    and ``false``; what is null or no scalar is left out.

    Args:
        content: as for `values_of`.

    Returns:
        A number from 0 to 2**63 - 1, and values by name; None for an imported run.
    """
    if "origin" in content:
        return None
    given = ((name, _scalar(value)) for name, value in values_of(content).items())
    kept = {_text(name): value for name, value in given if value is not None}
    return int(digest(kept)[:16], 16) >> 1, kept


def _text(text: str) -> str:
    """Replace halves of characters, which UTF-8 can't hold."""
    return text.encode("utf-8", "replace").decode()


def _scalar(value: Any) -> Scalar | None:
    match value:
        case bool():
            return json.dumps(value)
        case str():
            return _text(value)
        case float() if math.isfinite(value):
            return value
        case int() if abs(value) <= _LARGEST:
            return value
    return None
