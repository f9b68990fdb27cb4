"""What each part of the measurement hands in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.common import progress, table


@dataclass
class Part:
    """One table."""

    title: str
    headers: Sequence[str]
    rows: list[dict[str, Any]] = field(default_factory=list)
    """One dict a row, its values in the order of ``headers``."""
    notes: list[str] = field(default_factory=list)

    def add(self, *values: Any) -> None:
        """Append a row, and tell of it at once: what is measured later may fail."""
        self.rows.append(dict(zip(self.headers, values, strict=True)))
        progress(" | ".join(map(_short, values)))

    def markdown(self) -> str:
        lines = [tuple(_short(value) for value in row.values()) for row in self.rows]
        return "\n\n".join([f"## {self.title}", table(self.headers, lines), *self.notes])


def _short(value: Any) -> str:
    if value is None:
        return "n/a"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"
    return str(value)
