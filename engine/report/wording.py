"""Words for numbers, lists and names in a report."""

from __future__ import annotations

from collections.abc import Sized
from datetime import UTC, datetime

ABSENT = "n/a"


def counted(things: Sized, noun: str) -> str:
    """Count things in words: ``1 model``, ``3 models``."""
    number = len(things)
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def day(moment: float) -> str:
    """Format seconds since 1970 as a day in UTC: ``2026-11-28``."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")


def slug(title: str) -> str:
    """Turn a title into a name for a file or an HTML id: lower-case words joined by hyphens."""
    return "-".join("".join(c if c.isalnum() else " " for c in title.lower()).split())
