"""What tells runs that differ in seed only from others: a digest of everything else in a spec."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

_DATA = ("name", "reader", "files", "synthetic", "users", "items", "interactions")
"""What of a data set's entry a result depends on."""


def settings_digest(spec: Mapping[str, Any]) -> str | None:
    """Eight hex digits of everything in a spec that trains the model, but the seed."""
    if not spec:
        return None
    content = {name: spec.get(name) for name in ("architecture", "training", "length", "protocol")}
    source = spec.get("source") or {}
    content["source"] = {name: source.get(name) for name in _DATA}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def settings_of(text: str) -> str | None:
    """`settings_digest` of a spec as JSON; None where it isn't one."""
    try:
        content = json.loads(text)
        return settings_digest(content) if isinstance(content, dict) else None
    except (ValueError, AttributeError, RecursionError):
        return None
