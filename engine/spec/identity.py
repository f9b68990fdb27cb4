"""What tells runs apart: all that a result depends on, and digests of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from typing import Any

from pydantic import BaseModel

from engine.spec.architecture import default_settings
from engine.spec.data import Columns, Dataset, Filter, SplitRule, SyntheticSource
from engine.spec.training import Training

PROTOCOL = 2
"""Version of the evaluation protocol (docs/protocol.md). Runs of other versions aren't
comparable."""


_LABELS = frozenset(
    {"model", "dataset", "seed", "profile", "variant", "continues", "refits", "code", "chosen_by"}
)
"""Fields of a `RunSpec` that name a run and its cell, and change nothing else."""
_SOURCE_LABELS = frozenset(
    {"title", "aliases", "size", "folder", "titles", "local", "archive", "license", "optional"}
    | {"note", "interactions_sha256", "unconfirmed"}
)


def identity(content: Mapping[str, Any]) -> dict[str, Any]:
    """All that a run's result depends on but its seed: model, training, data and how they are
    split, length, protocol.

    A setting at its default is left out, so that a new one doesn't change what the runs before it
    are known by. A field that this version doesn't know counts.

    Args:
        content: a `RunSpec` as JSON, of this version or another.
    """
    given = content.get("source")
    source = dict(given) if isinstance(given, Mapping) else {}
    synthetic = source.get("synthetic")
    protocol = content.get("protocol", PROTOCOL)
    data: dict[str, Any] = {
        **_defaults(Dataset, {"reader", "files"}),
        **{name: value for name, value in source.items() if name not in _SOURCE_LABELS},
        "synthetic": {**_defaults(SyntheticSource), **synthetic}
        if isinstance(synthetic, Mapping)
        else synthetic,
    }
    split, files = source.get("split"), data["files"]
    if isinstance(split, Mapping) and split.get("kind") == "given" and isinstance(files, Mapping):
        data["files"] = list(map(list, files.items()))  # their order says which is which
    if isinstance(split, Mapping):
        data["split"] = told_split(split, protocol)
    for setting, kind in (("columns", Columns), ("filter", Filter), ("split", SplitRule)):
        if changed := _changed(data.pop(setting, None), kind):
            data[setting] = changed
    for setting in ("encoding", "packing"):
        if data.get(setting, "") is None:
            del data[setting]
    architecture = content.get("architecture")
    changed = _without(architecture, default_settings(content))
    if isinstance(architecture, Mapping):
        changed["model"] = architecture.get("model")
    return {
        **{name: value for name, value in content.items() if name not in _LABELS},
        **_code(content.get("code")),
        "architecture": changed,
        "training": _changed(content.get("training"), Training),
        "source": data,
        "protocol": protocol,
    }


def told_split(split: Mapping[str, Any], protocol: Any) -> dict[str, Any]:
    """Return a split's rule without its targets where the protocol doesn't leave them open: under
    protocol 1, whose runs were stored before there was a choice, they are the first ones."""
    return {name: value for name, value in split.items() if name != "targets" or protocol != 1}


def _code(code: Any) -> dict[str, Any]:
    """The content of a model's own file; its name changes nothing."""
    return {"code": code.get("sha256")} if isinstance(code, Mapping) else {}


def settings_digest(content: Mapping[str, Any]) -> str:
    """`RunSpec.settings` of a specification as JSON, whatever version wrote it.

    Of runs that were imported it is the same for all: nothing is known of how they were trained.
    """
    return digest({"imported": True} if "origin" in content else identity(content))[:8]


def _defaults(kind: type[BaseModel], names: Collection[str] | None = None) -> dict[str, Any]:
    """The defaults of a model's fields, of those that have one."""
    return {
        name: field.default
        for name, field in kind.model_fields.items()
        if not field.is_required() and (names is None or name in names)
    }


def _changed(values: Any, kind: type[BaseModel]) -> Any:
    """The values that aren't their field's default; what isn't a mapping stays as it is."""
    return _without(values, _defaults(kind))


def _without(values: Any, defaults: Mapping[str, Any]) -> Any:
    """The values that differ from the defaults; what isn't a mapping stays as it is."""
    if not isinstance(values, Mapping):
        return values
    return {
        name: value
        for name, value in values.items()
        if name not in defaults or value != defaults[name]
    }


def digest(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
