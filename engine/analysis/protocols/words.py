"""Rules of targets in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.spec import SplitRule

_DEFAULTS = SplitRule().model_dump()


def rule_title(split: Mapping[str, Any]) -> str:
    """Name a rule, such as ``leave-one-out``, ``temporal, last`` and ``temporal quantile=0.9,
    successive``.

    Args:
        split: `engine.spec.SplitRule` as JSON.
    """
    kind = str(split.get("kind") or _DEFAULTS["kind"])
    if kind == _DEFAULTS["kind"]:
        return kind
    bounds = [
        f"{name}={split[name]}"
        for name, value in _DEFAULTS.items()
        if name not in ("kind", "targets") and split.get(name, value) != value
    ]
    targets = split.get("targets") or _DEFAULTS["targets"]
    return f"{' '.join([kind, *bounds])}, {targets}"
