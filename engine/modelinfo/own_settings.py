"""The settings of users' own models that this process has met, in files and in stores: each of them
is a column and a field of the filter, as those of the models that come with seqbench are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any, Literal

ValueKind = Literal["whole", "real", "text"]


@dataclass(frozen=True, slots=True)
class ModelSetting:
    """A setting of a model, or of several."""

    name: str
    kind: ValueKind
    """Of its values; truth values are texts."""
    about: str = ""
    """Its meaning, from the docstring of the field; empty if there is none."""


_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}")
"""Names are part of SQL."""

_lock = Lock()
_met: tuple[ModelSetting, ...] = ()


def own_settings() -> tuple[ModelSetting, ...]:
    """Return what was met so far, by name."""
    return _met


def meet_settings(found: Iterable[ModelSetting]) -> None:
    """Add settings; of one that was met before, the kinds of values add up, and the newer meaning
    counts, if there is one. What no field of a class can be called is left out."""
    global _met
    with _lock:
        known = {each.name: each for each in _met}
        for each in found:
            if not _NAME.fullmatch(each.name):
                continue
            before = known.get(each.name, each)
            kind = either_kind(before.kind, each.kind)
            known[each.name] = ModelSetting(each.name, kind, each.about or before.about)
        after = tuple(known[name] for name in sorted(known))
        if after != _met:
            _met = after


def settings_in(schema: Mapping[str, Any]) -> list[ModelSetting]:
    """List the settings that a JSON schema describes (`ModelInfo.schema`)."""
    return [
        ModelSetting(name, _kind(about), " ".join(str(about.get("description", "")).split()))
        for name, about in schema.get("properties", {}).items()
    ]


def either_kind(one: ValueKind, other: ValueKind) -> ValueKind:
    """Return the kind of values that may be of either kind."""
    if one == other:
        return one
    return "text" if "text" in (one, other) else "real"


def _kind(about: Mapping[str, Any]) -> ValueKind:
    kinds = {each.get("type") for each in about.get("anyOf", [about])} - {"null"}
    if kinds == {"integer"}:
        return "whole"
    return "real" if kinds <= {"integer", "number"} else "text"
