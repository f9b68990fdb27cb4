"""Memory from one day to the next: columns, theme, when the app was left.

One small JSON file a topic, in the user's state folder. No result depends on it, so a file that
can't be read counts as absent, and a failed write is ignored.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any

from engine.errors import UserError
from engine.files.atomic import write_atomically
from engine.files.regular import open_regular
from engine.surroundings import user_folder

_TOPIC = re.compile(r"[a-z][a-z0-9-]{0,80}")
_LARGEST = 1_000_000
"""Bytes; a larger file isn't ours."""


def recall(topic: str) -> dict[str, Any]:
    """Read what was kept under a topic; empty if nothing usable was."""
    name = _name(topic)
    try:
        with open_regular(user_folder("state") / name) as file:
            content = json.loads(file.read(_LARGEST))
    except (OSError, ValueError, RecursionError, UserError):
        return {}
    return content if isinstance(content, dict) else {}


def keep(topic: str, content: dict[str, Any]) -> None:
    """Replace what was kept under a topic. For a thread: it waits for the disk."""
    name = _name(topic)
    with suppress(OSError, UserError):
        path = user_folder("state") / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(path, json.dumps(content, indent=1) + "\n")


def _name(topic: str) -> str:
    if not _TOPIC.fullmatch(topic):
        raise ValueError(f"{topic!r} can't be a file's name")
    return f"{topic}.json"
