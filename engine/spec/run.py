"""The full configuration of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, model_validator

from engine.spec.code import Code
from engine.spec.data import Dataset
from engine.spec.identity import PROTOCOL, digest, identity, settings_digest
from engine.spec.strict import Name, Strict
from engine.spec.training import Architecture, Training


class RunSpec(Strict):
    """The full configuration of a run: all that a worker needs, and that its result depends on."""

    model: Name
    dataset: Name
    length: int = Field(ge=2, le=65_536)
    """L, the number of most recent items that the model sees."""
    seed: int = Field(ge=0, lt=2**31)
    profile: str = "reference"
    variant: str = ""
    """Name of the suite's variant of the profile, if the suite compares several."""
    architecture: Architecture
    training: Training
    source: Dataset
    protocol: int = PROTOCOL
    code: Code | None = None
    """The file of a model that doesn't come with seqbench."""
    continues: str = ""
    """Id of the run that this one continues from its checkpoint at a lower epoch limit; empty for
    a run that started on its own. The result is the same."""

    @model_validator(mode="after")
    def _objective_fits(self) -> RunSpec:
        own = "masked" if self.architecture.model == "bert4rec" else "next-item"
        if self.training.objective not in (own, "prefix"):
            raise ValueError(
                f"{self.architecture.model} is trained with objective: {own} (or prefix)"
            )
        if self.training.loss != "full" and self.training.negatives >= self.source.items:
            raise ValueError(
                f"negatives ({self.training.negatives:,}) must be fewer than the items "
                f"({self.source.items:,})"
            )
        return self

    @property
    def recipe(self) -> str:
        """The profile, with the variant after a slash, for display."""
        return f"{self.profile}/{self.variant}" if self.variant else self.profile

    def fingerprint(self) -> str:
        """Twelve hex digits; equal for two runs that must give the same result."""
        return digest(identity(self.model_dump(mode="json")) | {"seed": self.seed})[:12]

    def shorter(self, epochs: int) -> RunSpec | None:
        """Return this run with a lower limit of epochs; ``None`` if its epochs up to there
        wouldn't be the same."""
        if self.training.depends_on_limit or not 0 < epochs < self.training.epochs:
            return None
        return amended(self, {"epochs": epochs})

    def settings(self) -> str:
        """Eight hex digits; equal for two runs that differ in their seed only."""
        return settings_digest(self.model_dump(mode="json"))


def amended(spec: RunSpec, settings: Mapping[str, Any]) -> RunSpec:
    """Return a run that begins by itself, with some settings of architecture or training replaced,
    by name.

    Raises:
        ValueError: a setting is unknown, or its value invalid.
    """
    content = spec.model_dump() | {"continues": ""}
    for name, value in settings.items():
        section = "training" if name in Training.model_fields else "architecture"
        content[section][name] = value
    return RunSpec.model_validate(content)
