"""How the report says numbers and lists."""

from __future__ import annotations

from collections.abc import Iterable, Sized
from datetime import UTC, datetime

from engine.analysis.comparison import METRIC_NAMES
from engine.analysis.pairs.significance import Metric

ABSENT = "n/a"


def listed(texts: Iterable[str]) -> str:
    """``a, b and c``."""
    *first, last = texts
    return f"{', '.join(first)} and {last}" if first else last


def counted(things: Sized, noun: str) -> str:
    """``1 model``, ``3 models``."""
    number = len(things)
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def metric_name(metric: Metric, *, masked: bool) -> str:
    """The column's name of a test metric."""
    return f"{METRIC_NAMES[metric]}/test" + (" (seen masked)" if masked else "")


def valid_name(metric: Metric, *, masked: bool) -> str:
    return metric_name(metric, masked=masked).replace("/test", "/valid")


def interval_text(low: float, high: float) -> str:
    return f"[{low:.4f}, {high:.4f}]"


def day(moment: float) -> str:
    """``2026-11-28``, in UTC."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")


def slug(title: str) -> str:
    """For names of files and of what stands in a page."""
    return "-".join("".join(c if c.isalnum() else " " for c in title.lower()).split())
