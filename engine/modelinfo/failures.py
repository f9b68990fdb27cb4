"""Why a model's file can't be used, kept until something changes that this may depend on."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_MODELS = Path(__file__).parents[1] / "models"
"""The code that models' files import from."""


def failure_of(file: Path, problem: str) -> dict[str, str]:
    """Return what is to be kept of a problem that lasts (`engine.models.lasting`).

    Args:
        file: where the file is; the problem, a sentence, names it.
    """
    return {"file": str(file), "problem": problem, "environment": _environment()}


def kept_problem(kept: Mapping[str, Any], file: Path) -> str:
    """Return the problem that the file still has; empty if that isn't known.

    Args:
        kept: what is kept of the file's content (`engine.modelinfo.kept.read_kept`).
    """
    failure = kept.get("failure")
    if not failure or failure != failure_of(file, str(failure.get("problem"))):
        return ""
    return str(failure["problem"])


def _environment() -> str:
    """Return a digest of the Python that runs, and of when packages were last installed or removed:
    each is then a new entry in one of the folders that Python imports from."""
    folders = [(each, _changed(Path(each))) for each in sys.path if each]
    code = [(str(each), _changed(each)) for each in sorted(_MODELS.rglob("*.py"))]
    text = json.dumps([sys.version, sys.executable, folders, code])
    return hashlib.sha256(text.encode()).hexdigest()


def _changed(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None
