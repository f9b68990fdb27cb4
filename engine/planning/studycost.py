"""What a study will cost, before it begins: its trials, as many as the budget allows, and the runs
of what it chooses."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

from engine.machine.estimates import CostEstimate
from engine.machine.slots import Slot
from engine.machine.together import makespan, shares
from engine.planning.study import study_of
from engine.rungs import halved
from engine.spec import RunSpec, Study


@dataclass(frozen=True, slots=True)
class ModelCost:
    """What one model of a study will cost, if all trials cost what its recipe does."""

    model: str
    trials: int
    """As many as there are time for, and at most those of the budget."""
    cost: CostEstimate | None
    """Of the recipe as it stands; ``None`` if there is no estimate, nor any of what follows."""
    trial_seconds: float | None
    """Mean time in training of a trial, pruning included."""
    final_seconds: float | None
    """Time of a run of what is chosen."""

    @property
    def stops_early(self) -> bool:
        """Whether early stopping is included: whole runs like these are known."""
        return self.cost is not None and self.cost.run_seconds is not None

    @property
    def seconds(self) -> float | None:
        """Time in training of all trials together."""
        return None if self.trial_seconds is None else self.trials * self.trial_seconds


@dataclass(frozen=True)
class StudyCost:
    """What a study will cost."""

    study: Study
    models: tuple[ModelCost, ...]

    @property
    def runs(self) -> int:
        """The number of its runs, trials and those of what it chooses."""
        return sum(each.trials + self.study.final_seeds for each in self.models)

    def seconds(self, slots: Sequence[Slot]) -> float | None:
        """Return how long it takes in some slots; ``None`` without an estimate of each model."""
        devices = shares(slots)
        trials, finals = [], []
        for each in self.models:
            if each.trial_seconds is None or each.final_seconds is None:
                return None
            trials += [each.trial_seconds] * each.trials
            finals += [each.final_seconds] * self.study.final_seeds
        return makespan(trials, devices) + makespan(finals, devices)


def study_cost(
    first: Sequence[RunSpec], cost_of: Callable[[RunSpec], CostEstimate | None]
) -> StudyCost:
    """Work out what a study will cost.

    Args:
        first: its first trials (`engine.planning.plan_study`).
        cost_of: what a run costs.
    """
    study = study_of(first)
    return StudyCost(study, tuple(_model_cost(study, trial, cost_of) for trial in first))


def _model_cost(
    study: Study, trial: RunSpec, cost_of: Callable[[RunSpec], CostEstimate | None]
) -> ModelCost:
    cost = cost_of(trial)
    if cost is None:
        return ModelCost(trial.model, study.trials, None, None, None)
    epochs = trial.training.epochs
    each = halved(study.trials, epochs) if study.prune == "asha" else [epochs]
    whole = _whole(cost, epochs)
    mean = fmean(min(number * cost.epoch_seconds, whole) for number in each)
    trials = study.trials
    if study.minutes is not None and mean > 0:
        trials = min(trials, max(1, math.ceil(60 * study.minutes / mean)))
    final = cost_of(trial.model_copy(update={"trial": None})) or cost
    return ModelCost(trial.model, trials, cost, mean, _whole(final, epochs))


def _whole(cost: CostEstimate, epochs: int) -> float:
    return cost.run_seconds or cost.epoch_seconds * epochs
