"""The specification of an imported run, which another program trained."""

from __future__ import annotations

import hashlib
from typing import Literal

from pydantic import Field

from engine.marks import IMPORTED
from engine.spec import Name, Strict, settings_digest

Origin = Literal["imported-tensorboard", "imported-csv"]
"""The format that a run was imported from. Runs that seqbench trained have no origin."""


class ImportedSpec(Strict):
    """Model, data set, length and seed of an imported run, and where it came from.
     Its settings are unknown, so it can't be trained again, and it isn't known whether its results
    are comparable with others.
    """

    origin: Origin
    came_from: str = Field(max_length=1000)
    """The folder or file that was imported, as the user named it."""
    model: Name
    dataset: Name
    length: int = Field(ge=1, le=65_536)
    seed: int = Field(ge=0, lt=2**31)

    @property
    def recipe(self) -> str:
        """What is shown for `RunSpec.recipe`."""
        return IMPORTED

    def fingerprint(self) -> str:
        """Return twelve hex digits that no trained run has."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]

    def settings(self) -> str:
        """Return eight hex digits, the same for all imported runs."""
        return settings_digest(self.model_dump(mode="json"))
