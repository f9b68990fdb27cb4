"""The formats of a report, told by the ending of its file's name."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from engine.errors import UsageError

Format = Literal["md", "html"]
_SUFFIXES: dict[str, Format] = {".md": "md", ".markdown": "md", ".html": "html", ".htm": "html"}


def format_of(path: Path) -> Format:
    """Return the format of a file. Raises `UsageError` if its ending is none of ours."""
    found = _SUFFIXES.get(path.suffix.lower())
    if found is None:
        raise UsageError(f"{path.name!r} tells no format: end it with .md or .html.")
    return found
