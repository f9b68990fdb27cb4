"""Words for numbers, lists and names in a report."""

from __future__ import annotations

from collections.abc import Sized
from datetime import UTC, datetime

from engine.analysis.comparison import METRIC_NAMES
from engine.analysis.pairs.significance import Metric

ABSENT = "n/a"


def counted(things: Sized, noun: str) -> str:
    """Count things in words: ``1 model``, ``3 models``."""
    number = len(things)
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def metric_name(metric: Metric, *, masked: bool) -> str:
    """Return the name of the column of a test metric, such as ``NDCG@10/test``."""
    return f"{METRIC_NAMES[metric]}/test" + (" (seen masked)" if masked else "")


def valid_name(metric: Metric, *, masked: bool) -> str:
    """Return the name of the column of a validation metric, such as ``NDCG@10/valid``."""
    return metric_name(metric, masked=masked).replace("/test", "/valid")


def interval_text(low: float, high: float) -> str:
    """Format an interval: ``[0.1581, 0.1643]``."""
    return f"[{low:.4f}, {high:.4f}]"


def day(moment: float) -> str:
    """Format seconds since 1970 as a day in UTC: ``2026-11-28``."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")


def slug(title: str) -> str:
    """Turn a title into a name for a file or an HTML id: lower-case words joined by hyphens."""
    return "-".join("".join(c if c.isalnum() else " " for c in title.lower()).split())
