"""A study: settings of models that are tried on one data set, each trial a run, and of which the
best on validation is chosen."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from engine.rungs import rungs
from engine.spec.architecture import Architecture
from engine.spec.code import Code
from engine.spec.strict import Name, Strict
from engine.spec.training import Training

Sampler = Literal["tpe", "random", "grid"]
"""How the settings of the next trial are chosen: by those of the trials before it (tree-structured
Parzen estimator, Bergstra et al. 2011), at random, or one combination after the other."""

Prune = Literal["asha", "none"]
"""Whether trials that are worse than most others after a few epochs are paused: asynchronous
successive halving (Li et al. 2020)."""

Value = bool | int | float | str
"""A value of a setting."""


MOST_STEPS = 1_000_000
"""The most steps of a range: with more of them nothing that searches it can work."""

MOST_TRIALS = 10_000
"""The most trials that a study may have of a model."""

MOST_DUEL_SEEDS = 100
"""The most seeds that a duel may have."""


class Range(Strict):
    """The values that a numeric setting may have, both ends included."""

    low: int | float
    high: int | float
    log: bool = False
    """Whether its logarithm is drawn uniformly, so that every factor is as likely as another."""
    step: int | float | None = Field(default=None, gt=0)
    """The distance from one value to the next; absent if there is none (of whole numbers 1)."""

    @model_validator(mode="after")
    def _is_one(self) -> Range:
        if self.low >= self.high:
            raise ValueError(f"low ({self.low}) must be less than high ({self.high})")
        if self.log and self.low <= 0:
            raise ValueError(f"log needs a low above 0, not {self.low}")
        if self.log and self.step is not None:
            raise ValueError("log and step don't go together: leave one out")
        if not math.isfinite(float(self.high) - self.low):
            raise ValueError(f"low ({self.low}) and high ({self.high}) are too far apart")
        if self.step is not None and (self.high - self.low) / self.step > MOST_STEPS:
            raise ValueError(f"step ({self.step}) must be larger: it makes too many values")
        if self.step is not None and not self.has(self.high):
            raise ValueError(f"high ({self.high}) must be low ({self.low}) and some steps")
        return self

    @property
    def whole(self) -> bool:
        """Whether its values are whole numbers."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def has(self, value: object) -> bool:
        """Return whether a value is one of these."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        if not self.low <= value <= self.high or (self.whole and not isinstance(value, int)):
            return False
        steps = (value - self.low) / (self.step or 1)
        return (self.step is None and not self.whole) or abs(steps - round(steps)) < 1e-8


Choices = Annotated[tuple[Value, ...], Field(min_length=1)]
"""The values that a setting may have, one by one."""

Space = dict[str, Range | Choices]
"""What is tried: the values of settings, by name."""


def profile_of_study(name: str) -> str:
    """Return the profile under which what a study chose is run."""
    return f"study-{name}"


class TunedModel(Strict):
    """A model of a study: a profile as it stands, and the settings that are tried in its place."""

    model: Name
    profile: str
    architecture: Architecture
    training: Training
    code: Code | None = None
    space: Space = Field(min_length=1)


class Study(Strict):
    """The whole definition of a study, but for its data set and length, which its trials have."""

    name: Name
    models: tuple[TunedModel, ...] = Field(min_length=1)
    trials: int = Field(ge=1, le=MOST_TRIALS)
    """Most trials of each model; the first one has the profile as it stands."""
    minutes: float | None = Field(default=None, gt=0)
    """After this time in training, of all trials of a model together, it has no further one."""
    sampler: Sampler = "tpe"
    prune: Prune = "none"
    seed: int = Field(ge=0, lt=2**31)
    """Of all trials, and of the sampler."""
    final_seeds: int = Field(ge=0, le=1000)
    """Number of fresh seeds, the next ones after ``seed``, with which the best settings of each
    model are trained at the end."""
    duel: int | None = Field(default=None, ge=2, le=MOST_DUEL_SEEDS)
    """Of a duel, whose two models get a further seed each until the paired test decides
    (`engine.analysis.duels`), the most seeds; ``final_seeds`` are those that it begins with. Absent
    of other studies."""

    @model_validator(mode="after")
    def _has_its_seeds(self) -> Study:
        seeds = max(self.final_seeds, self.duel or 0)
        if self.seed + seeds >= 2**31:
            raise ValueError(f"seed ({self.seed}) leaves no {seeds} seeds after it")
        return self

    @model_validator(mode="after")
    def _is_of_two(self) -> Study:
        if self.duel is not None and len(self.models) != 2:
            raise ValueError("a duel is between two models")
        if self.duel is not None and not 2 <= self.final_seeds <= self.duel:
            raise ValueError(f"a duel begins with 2 to {self.duel} seeds, not {self.final_seeds}")
        return self

    @model_serializer(mode="wrap")
    def _without_what_is_absent(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content: dict[str, Any] = handler(self)
        # So that trials that were queued before there were duels stay the same runs.
        return {name: value for name, value in content.items() if name != "duel" or value}

    def rungs(self, model: str) -> tuple[int, ...]:
        """Return the epochs after which the trials of one of its models are compared; none without
        pruning."""
        (tuned,) = [each for each in self.models if each.model == model]
        training = tuned.training
        return rungs(training.epochs, training.patience) if self.prune == "asha" else ()

    @property
    def profile(self) -> str:
        """Name of the profile under which the chosen settings are run and compared."""
        return profile_of_study(self.name)


class Trial(Strict):
    """A run's place in a study. Any trial has all that is needed to go on with it."""

    number: int = Field(ge=0)
    """Counted over all models of the study, from 0."""
    study: Study


class ChosenBy(Strict):
    """The study that a run's settings were chosen by, and its budget for the run's model."""

    study: Name
    trials: int = Field(ge=1)
    seconds: float = Field(ge=0)
    """Time in training of all these trials."""
