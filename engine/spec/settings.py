"""The settings of runs that ``--set`` takes: their names, and the values that a run has."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import NoneType
from typing import Any, Literal, get_args

from engine.modelinfo import builtin_infos
from engine.spec.architecture import default_settings
from engine.spec.identity import digest
from engine.spec.training import Training

Kind = Literal["whole", "real", "text"]
Scalar = int | float | str

TAKEN = frozenset({"dtype", "epochs", "loss"})
"""Settings whose name a figure or a fact of runs has too: these go by their section as well."""

_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting of training, or of the architecture of one model or several."""

    name: str
    section: Literal["training", "architecture"]
    kind: Kind
    """Of its values; truth values are texts."""

    @property
    def full_name(self) -> str:
        """Section and name, such as ``training.lr``."""
        return f"{self.section}.{self.name}"

    @property
    def title(self) -> str:
        """The name of its column and field: short, unless that is `TAKEN`."""
        return self.full_name if self.name in TAKEN else self.name


def _every_setting() -> dict[str, Setting]:
    found: dict[str, Setting] = {}
    for name, field in Training.model_fields.items():
        found[name] = Setting(name, "training", _kind(field.annotation))
    for info in builtin_infos().values():
        for name, about in info.schema["properties"].items():
            kind = _schema_kind(about)
            if name in found and kind != found[name].kind:
                kind = "text" if "text" in (kind, found[name].kind) else "real"
            found[name] = Setting(name, "architecture", kind)
    return {setting.title: setting for setting in found.values()}


def _kind(annotation: Any) -> Kind:
    kinds = {each for each in get_args(annotation) or (annotation,) if each is not NoneType}
    if kinds == {int}:
        return "whole"
    return "real" if kinds <= {int, float} else "text"


def _schema_kind(about: Mapping[str, Any]) -> Kind:
    kinds = {each.get("type") for each in about.get("anyOf", [about])} - {"null"}
    if kinds == {"integer"}:
        return "whole"
    return "real" if kinds <= {"integer", "number"} else "text"


SETTINGS = _every_setting()
"""By title: those of training first, then those of the models' architectures."""


_TRAINING = {
    name: field.default for name, field in Training.model_fields.items() if not field.is_required()
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
        found = {"objective": "fitted"}  # such a model has no use for the others
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
