"""Which settings decide whether a trial is among the best: Optuna's PED-ANOVA.

Watanabe, Bansal & Hutter, PED-ANOVA: Efficiently Quantifying Hyperparameter Importance in Arbitrary
Subspaces, IJCAI 2023. It needs nothing but NumPy, unlike fANOVA, which needs scikit-learn.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.spec import Space
from engine.tuning.ask import Past, has, recorded

if TYPE_CHECKING:
    from optuna import Study as OptunaStudy

LEAST = 10
"""Fewest trials that importance is told of."""

TOP = 5
"""Trials that are the best ones, as Optuna's documentation advises; never more than half."""

LEAST_TOP = 0.1
"""The share of the best among very many trials."""

SHUFFLES = 100


@dataclass(frozen=True, slots=True)
class Importance:
    """How much a setting decides."""

    setting: str
    share: float
    """Of all settings together."""
    by_chance: float
    """The share of shuffles of what the trials reached in which its share is as large: small if
    that is more than chance. Above 0."""


def importances(space: Space, past: Sequence[Past], seed: int) -> list[Importance] | None:
    """Return how far each setting tells the best trials from all, the most telling one first.

    The distribution of a setting's values among the best trials is compared with that among all of
    them, as the sampler drew them.

    Args:
        past: trials; those count that have a value, and all their settings in the space.
        seed: of the shuffles.

    Returns:
        ``None`` of fewer than `LEAST` trials, or if the best ones reached no more than the worst:
        as where most trials failed.

    Raises:
        UserError: Optuna isn't installed.
    """
    known = [
        replace(each, state="done", epoch=0)
        for each in past
        if each.value is not None and all(has(space, each.settings, name) for name in space)
    ]
    if len(known) < LEAST:
        return None
    reached = sorted((each.value or 0.0 for each in known), reverse=True)
    if reached[math.ceil(_best_share(len(known)) * len(known)) - 1] == reached[-1]:
        return None
    study = recorded(space, known)
    found = _shares(study, space)
    as_high = dict.fromkeys(found, 1)
    chance = random.Random(seed)
    values = [each.value for each in known]
    # The study's own: to copy its trials a hundred times takes four fifths of the time.
    trials = study.get_trials(deepcopy=False)
    for _ in range(SHUFFLES):
        chance.shuffle(values)
        for trial, value in zip(trials, values, strict=True):
            trial.value = value
        for name, other in _shares(study, space).items():
            as_high[name] += other >= found[name]
    told = [
        Importance(name, share, as_high[name] / (SHUFFLES + 1)) for name, share in found.items()
    ]
    return sorted(told, key=lambda each: -each.share)


def _best_share(trials: int) -> float:
    """Return which share of so many trials are the best ones."""
    return max(LEAST_TOP, min(0.5, TOP / trials))


def _shares(study: OptunaStudy, space: Space) -> dict[str, float]:
    """Return by setting how much its values among the best trials differ from those among all, as a
    share of what all settings do."""
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    best = _best_share(len(study.get_trials(deepcopy=False)))
    evaluator = PedAnovaImportanceEvaluator(target_quantile=best)
    return get_param_importances(study, evaluator=evaluator, params=[*space])
