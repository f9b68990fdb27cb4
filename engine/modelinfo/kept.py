"""Descriptions and facts of models, or why there are none, kept in the user's cache by the hash of
their code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.errors import UserError
from engine.files.atomic import write_atomically
from engine.files.regular import read_regular
from engine.surroundings import user_folder

FORMAT = 3


def read_kept(sha256: str) -> dict[str, Any]:
    """Return what is kept of the code with this hash: ``info``, ``facts`` and ``failure``
    (`engine.modelinfo.failures`), if there."""
    try:
        content = json.loads(read_regular(_path(sha256)))
        return content if content["format"] == FORMAT else {}
    except (OSError, UserError, ValueError, KeyError, TypeError, RecursionError):
        return {}


def keep(
    sha256: str,
    info: Mapping[str, Any] | None,
    facts: Mapping[str, Mapping[str, Any]],
    failure: Mapping[str, str] | None = None,
) -> None:
    """Add to what is kept, or replace the failure; where the cache can't be written, nothing is."""
    before = read_kept(sha256)
    content = {
        "format": FORMAT,
        "info": info or before.get("info"),
        "facts": {**before.get("facts", {}), **facts},
        "failure": failure,
    }
    try:
        path = _path(sha256)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(content))
    except (OSError, UserError):
        return


def _path(sha256: str) -> Path:
    return user_folder("cache") / "models" / f"{sha256}.json"
