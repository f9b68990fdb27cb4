"""What validation chose in a run, for the run that trains again with validation included."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Chosen:
    """The chosen epoch of a run that is done."""

    epoch: int
    settings: Mapping[str, Any] | None = None
    """The combination of settings that a fitted model tried in it; ``None`` of other models."""
