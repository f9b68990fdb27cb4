"""Memory from one day to the next: columns, theme, when the app was left.

One small JSON file a topic, in the user's state folder. No result depends on it, so a file that
can't be read counts as absent, and a failed write is ignored.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import platformdirs

from engine.atomic import write_atomically
from engine.regular import open_regular

_TOPIC = re.compile(r"[a-z][a-z0-9-]{0,80}")
_LARGEST = 1_000_000
"""Bytes; a larger file isn't ours."""


def recall(topic: str) -> dict[str, Any]:
    """Read what was kept under a topic; empty if nothing usable was."""
    path = _path(topic)
    try:
        with open_regular(path) as file:
            content = json.loads(file.read(_LARGEST))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def keep(topic: str, content: dict[str, Any]) -> None:
    """Replace what was kept under a topic. For a thread: it waits for the disk."""
    path = _path(topic)
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(path, json.dumps(content, indent=1) + "\n")


def _path(topic: str) -> Path:
    if not _TOPIC.fullmatch(topic):
        raise ValueError(f"{topic!r} can't be a file's name")
    return platformdirs.user_state_path("seqbench") / f"{topic}.json"
