"""Judgements, kept in the cache by the data, the split and the length."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path

from engine.datasets.interactions import Interactions
from engine.datasets.locate import cache_folder
from engine.datasets.splitting.splits import data_checksum
from engine.errors import UserError
from engine.files.atomic import write_atomically
from engine.files.regular import read_regular
from engine.judge.judgement import Judgement, from_json, to_json
from engine.judge.models import FITTED
from engine.modelinfo.builtin import builtin_infos
from engine.spec import Dataset
from engine.spec.identity import PROTOCOL

VERSION = 2
"""Increased with every change to what is judged, or to how it is written."""


def judgement_key(interactions: Interactions, dataset: Dataset, length: int) -> str:
    """Return the key of a data set's judgement: of its interactions, what is held out of them, the
    length, and the code that judges them.

    Raises:
        DataError: the data can't be split as the data set says.
    """
    models = [builtin_infos()[name].sha256 for name in FITTED]
    split = dataset.split.model_dump(mode="json")
    parts = (VERSION, PROTOCOL, models, data_checksum(interactions, dataset), split, length)
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def read_kept(key: str) -> Judgement | None:
    """Return the judgement that is kept; ``None`` if there is none, or it can't be read."""
    try:
        return from_json(json.loads(read_regular(_path(key))))
    except (OSError, UserError, ValueError, KeyError, TypeError, RecursionError):
        return None


def keep(key: str, found: Judgement) -> None:
    """Keep a judgement, if the cache can be written."""
    with suppress(OSError, UserError):
        _path(key).parent.mkdir(parents=True, exist_ok=True)
        write_atomically(_path(key), json.dumps(to_json(found)))


def _path(key: str) -> Path:
    return cache_folder() / "judged" / f"{key}.json"
