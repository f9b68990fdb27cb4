"""The descriptions of the models that come with seqbench, made by ``make modelinfo``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from engine.modelinfo.info import ModelInfo, info_from

FILE = Path(__file__).with_name("builtin.json")


def builtin_infos() -> Mapping[str, ModelInfo]:
    """Return the descriptions by name, in the order of the names."""
    return _read()[0]


def builtin_info(name: object) -> ModelInfo | None:
    """Return the description of a model that comes with seqbench; ``None`` if none is called so."""
    return _read()[0].get(name) if isinstance(name, str) else None


def builtin_facts(name: str) -> Mapping[str, Any]:
    """Return what is known of a model's settings, as `engine.modelinfo.facts` keeps it."""
    return _read()[1].get(name, {})


@cache
def _read() -> tuple[dict[str, ModelInfo], dict[str, dict[str, Any]]]:
    content = json.loads(FILE.read_bytes())
    return (
        {name: info_from(each["info"]) for name, each in content.items()},
        {name: each["facts"] for name, each in content.items()},
    )
