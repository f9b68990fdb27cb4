"""The full configuration of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from engine.budget import ByHand
from engine.modelinfo import builtin_info, parameters_of
from engine.modelinfo.copies import copy_path
from engine.modelinfo.info import ModelInfo
from engine.spec.architecture import Architecture
from engine.spec.code import Code
from engine.spec.data import Dataset
from engine.spec.identity import PROTOCOL, digest, identity, settings_digest
from engine.spec.strict import Name, Strict
from engine.spec.study import ChosenBy, Trial
from engine.spec.training import Training, objective_problem


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
    """The file of a model that doesn't come with seqbench; absent if it does."""
    continues: str = ""
    """Id of the run that this one continues from its checkpoint at a lower epoch limit; empty for
    a run that started on its own. The result is the same."""
    refits: str = ""
    """Id of the run whose chosen epoch this one trains to with validation included, if
    ``training.refit`` says so; absent before it is queued, and of other runs."""
    trial: Trial | None = None
    """Of a trial of a study its place there; absent of other runs. It is evaluated on validation
    only."""
    chosen_by: ChosenBy | ByHand | None = None
    """Who chose its settings: a study, or people; absent where nobody says it, and of a recipe
    with other settings."""

    @model_validator(mode="before")
    @classmethod
    def _targets_of_protocol_1(cls, content: Any) -> Any:
        """Protocol 1 ranks the first interaction of a period, and doesn't say so."""
        if not isinstance(content, Mapping) or content.get("protocol") != 1:
            return content
        source = content.get("source")
        source = source.model_dump() if isinstance(source, Dataset) else source
        if not isinstance(source, Mapping):
            return content
        split = source.get("split")
        if not isinstance(split, Mapping) or split.get("kind") not in ("temporal", "given"):
            return content
        return {**content, "source": {**source, "split": {**split, "targets": "first"}}}

    @model_validator(mode="after")
    def _objective_fits(self) -> RunSpec:
        info = builtin_info(self.architecture.model) if self.code is None else None
        if info is None and self.code is None:
            raise ValueError(f"there is no model {self.architecture.model!r}")
        if info and (problem := objective_problem(info.name, info.kind, self.training.objective)):
            raise ValueError(problem)
        if self.training.loss != "full" and self.training.negatives >= self.source.items:
            raise ValueError(
                f"negatives ({self.training.negatives:,}) must be fewer than the items "
                f"({self.source.items:,})"
            )
        return self

    @model_serializer(mode="wrap")
    def _without_what_is_absent(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content: dict[str, Any] = handler(self)
        absent = {name for name in ("code", "trial", "chosen_by") if content[name] is None}
        absent |= set() if self.refits else {"refits"}
        return {name: value for name, value in content.items() if name not in absent}

    @property
    def recipe(self) -> str:
        """The profile, with the variant after a slash, for display."""
        return f"{self.profile}/{self.variant}" if self.variant else self.profile

    @property
    def fitted(self) -> bool:
        """Whether the model is fitted, not trained: it is the same for every seed."""
        return self.training.objective == "fitted"

    def fingerprint(self) -> str:
        """Twelve hex digits; equal for two runs that must give the same result."""
        seed = None if self.fitted else self.seed
        return digest(identity(self.model_dump(mode="json")) | {"seed": seed})[:12]

    @property
    def first(self) -> RunSpec:
        """The run that a refit needs before it: the same without validation in its training."""
        return amended(self, {"refit": False})

    def shorter(self, epochs: int) -> RunSpec | None:
        """Return this run with a lower limit of epochs; ``None`` if its epochs up to there
        wouldn't be the same."""
        if self.training.depends_on_limit or not 0 < epochs < self.training.epochs:
            return None
        return amended(self, {"epochs": epochs})

    def settings(self) -> str:
        """Eight hex digits; equal for two runs that differ in their seed only."""
        return settings_digest(self.model_dump(mode="json"))


_NOT_CHOSEN = {"epochs", "refit"}


def leaves_choice(settings: Iterable[str]) -> bool:
    """Return whether changing some settings, by name, leaves the others as they were chosen."""
    return _NOT_CHOSEN.issuperset(settings)


def amended(spec: RunSpec, settings: Mapping[str, Any]) -> RunSpec:
    """Return a run that begins by itself and is of no study, with some settings of architecture or
    training replaced, by name.

    Raises:
        ValueError: a setting is unknown, or its value invalid.
    """
    content = spec.model_dump() | {"continues": "", "refits": "", "trial": None}
    if not leaves_choice(settings):
        content["chosen_by"] = None
    for name, value in settings.items():
        section = "training" if name in Training.model_fields else "architecture"
        content[section][name] = value
    return RunSpec.model_validate(content)


def parameter_count(spec: RunSpec, *, items: int | None = None, wait: bool = True) -> int:
    """Return the number of trainable parameters of a run's model.

    Args:
        items: V; ``None`` is the catalogue's number.
        wait: find it out if it isn't known, which takes a process.

    Raises:
        NotKnownError: without ``wait``, it isn't known.
        UserError: it can't be found out, or the settings don't fit together.
    """
    architecture, code = spec.architecture, spec.code
    info = builtin_info(architecture.model)
    if code is not None:  # its facts are known since the catalogue made the run
        info = ModelInfo(
            name=architecture.model,
            sha256=code.sha256,
            file=str(copy_path(code.sha256)),
            package=code.package,
        )
    assert info is not None
    items = spec.source.items if items is None else items
    return parameters_of(info, architecture.settings, items, spec.length, wait=wait)
