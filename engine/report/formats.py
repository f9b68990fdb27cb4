"""What a report may be written as, by its file's ending."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from engine.errors import UsageError

Format = Literal["md", "html"]
_SUFFIXES: dict[str, Format] = {".md": "md", ".markdown": "md", ".html": "html", ".htm": "html"}


def format_of(path: Path) -> Format:
    """Raises `UsageError` where the ending says nothing."""
    found = _SUFFIXES.get(path.suffix.lower())
    if found is None:
        raise UsageError(f"{path.name!r} tells no format: end it with .md or .html.")
    return found
