"""What the app keeps for its user from one day to the next: columns, theme, when it was left.

One small JSON file a topic, in the user's state folder. None of it matters to a result, so a file
that can't be read counts as absent, and one that can't be written is let go.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

_TOPIC = re.compile(r"[a-z][a-z0-9-]{0,80}")
_LARGEST = 1_000_000
"""Bytes; a larger file isn't ours."""


def recall(topic: str) -> dict[str, Any]:
    """What was kept under this topic; empty if nothing usable was."""
    from engine.regular import open_regular

    path = _path(topic)
    try:
        with open_regular(path) as file:
            content = json.loads(file.read(_LARGEST))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def keep(topic: str, content: dict[str, Any]) -> None:
    """Keep it in place of what was there. For a thread: it waits for the disk."""
    from engine.atomic import write_atomically

    path = _path(topic)
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(path, json.dumps(content, indent=1) + "\n")


def _path(topic: str) -> Path:
    import platformdirs

    if not _TOPIC.fullmatch(topic):
        raise ValueError(f"{topic!r} can't be a file's name")
    return platformdirs.user_state_path("seqbench") / f"{topic}.json"
