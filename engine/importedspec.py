"""What is known of a run that another program trained, and whose history was imported."""

from __future__ import annotations

import hashlib
from typing import Literal

from pydantic import Field

from engine.marks import IMPORTED
from engine.spec import Name, Strict, settings_digest

Origin = Literal["imported-tensorboard", "imported-csv"]
"""How it came here. A run of seqbench's own has none, wherever it was trained."""


class ImportedSpec(Strict):
    """Names the run's cell and seed. How it was trained isn't known, so it can't be trained again,
    and nothing makes its figures comparable with others'."""

    origin: Origin
    came_from: str = Field(max_length=1000)
    """The folder or file that it was read from, as it was named."""
    model: Name
    dataset: Name
    length: int = Field(ge=1, le=65_536)
    seed: int = Field(ge=0, lt=2**31)

    @property
    def recipe(self) -> str:
        """Where runs of our own name their profile."""
        return IMPORTED

    def fingerprint(self) -> str:
        """Twelve hex digits, which no run of our own has."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]

    def settings(self) -> str:
        """Eight hex digits, the same for all that were imported."""
        return settings_digest(self.model_dump(mode="json"))
