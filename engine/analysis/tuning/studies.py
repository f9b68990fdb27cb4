"""Studies as they are reported: what the trials of each model reached, and what that tells."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.analysis.tuning.best import BestOf, best_of, budgets, told_budgets
from engine.errors import UserError
from engine.rungs import PRUNED
from engine.spec import TunedModel
from engine.store.studies import StoredTrial
from engine.tuning.ask import Past
from engine.tuning.found import StudyFound, find_study
from engine.tuning.importance import Importance, importances
from engine.tuning.progress import Progress


@dataclass(frozen=True)
class Tuned:
    """A model of a study, and what its trials reached by now."""

    model: TunedModel
    trials: tuple[StoredTrial, ...]
    """By number; the first one is the recipe as it stands."""
    best: StoredTrial | None
    """What is chosen; ``None`` if no trial is done."""

    @property
    def counted(self) -> list[StoredTrial]:
        """The trials that ended by themselves, which the best of n is of: a cancelled one tells
        nothing."""
        return [each for each in self.trials if each.state in ("done", "failed")]

    @property
    def reached(self) -> list[float]:
        """The best validation NDCG@10 of each of `counted`; 0 of one that failed."""
        return [each.value or 0.0 if each.state == "done" else 0.0 for each in self.counted]

    @property
    def seconds(self) -> float:
        """Time in training of all trials."""
        return sum(each.seconds for each in self.trials)

    @property
    def pruned(self) -> int:
        """The number of pruned trials."""
        return sum(each.standing == PRUNED for each in self.trials)

    @property
    def line(self) -> list[BestOf]:
        """The expected best of n for the n of `budgets`; empty before a trial ended."""
        values = self.reached
        return [best_of(values, trials) for trials in budgets(len(values))] if values else []

    @property
    def told(self) -> list[BestOf]:
        """The same for the n of `told_budgets`."""
        values = self.reached
        return [best_of(values, trials) for trials in told_budgets(len(values))] if values else []


@dataclass(frozen=True)
class StudyReport:
    """A study, and what its trials tell."""

    found: StudyFound
    models: tuple[Tuned, ...]
    importances: Mapping[str, Sequence[Importance]]
    """Of the settings of models with enough trials, by the model's name."""
    problem: str = ""
    """Why importance isn't known of any, if that isn't for a want of trials."""


def tuned(progress: Progress) -> tuple[Tuned, ...]:
    """Return the models of a study with their trials."""
    return tuple(
        Tuned(model, tuple(progress.of_model(model)), progress.best(model))
        for model in progress.study.models
    )


def choosing_studies(specs: Iterable[Mapping[str, Any]]) -> list[str]:
    """Name the studies that chose the settings of runs, by name.

    Args:
        specs: `engine.spec.RunSpec` as JSON.
    """
    chosen = (spec.get("chosen_by") for spec in specs)
    return sorted({str(each["study"]) for each in chosen if isinstance(each, Mapping)})


def study_reports(
    con: sqlite3.Connection, names: Iterable[str]
) -> tuple[list[StudyReport], list[str]]:
    """Read studies for a report; say in sentences why others can't be told. Takes a second for each
    model, because of importance."""
    found, problems = [], []
    for name in names:
        try:
            study = find_study(con, name)
        except UserError as error:
            problems.append(str(error))
            continue
        if study is None:
            problems.append(f"The trials of the study {name} aren't in this store.")
        else:
            found.append(_reported(study))
    return found, problems


def _reported(study: StudyFound) -> StudyReport:
    models = tuned(study.progress)
    known: dict[str, Sequence[Importance]] = {}
    for each in models:
        past = [
            Past(study.progress.settings(each.model, trial), "done", value)
            for trial, value in zip(each.counted, each.reached, strict=True)
        ]
        try:
            told = importances(each.model.space, past, study.progress.study.seed)
        except UserError as error:  # no Optuna
            return StudyReport(study, models, {}, str(error))
        if told is not None:
            known[each.model.model] = told
    return StudyReport(study, models, known)
