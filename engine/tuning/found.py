"""Studies as they are found in a store: how each stands, what it chose, and how one is ended."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors import UsageError, UserError, did_you_mean
from engine.lifecycle import UNDER_WAY, WAITING
from engine.rungs import PRUNED
from engine.spec import Study, TunedModel
from engine.store.database import StoreConnection
from engine.store.location import StoreLocation
from engine.store.queries import Run, get_run
from engine.store.requests import request_cancel, transact
from engine.store.studies import StoredTrial, end_study, runs_under, study_names
from engine.tuning.ask import Settings
from engine.tuning.progress import Progress, progress_of


@dataclass(frozen=True)
class StudyFound:
    """A study of the store, with the runs of what it chose."""

    progress: Progress
    finals: Sequence[Run]

    @property
    def name(self) -> str:
        return self.progress.study.name

    @property
    def state(self) -> str:
        """What it is at, in a word or two."""
        if not self.progress.over:
            if self.adds_seeds:
                return "comparing"
            return "stopping" if self.progress.stopped else "tuning"
        going_on = any(run.state in UNDER_WAY for run in self.finals)
        return "training what it chose" if going_on else "done"

    @property
    def is_duel(self) -> bool:
        return self.progress.study.duel is not None

    @property
    def adds_seeds(self) -> bool:
        """Whether it is a duel that isn't over, and trains what it chose with more and more
        seeds."""
        return self.is_duel and not self.progress.over and bool(self.finals)

    @property
    def can_stop(self) -> bool:
        """Whether there is anything that `stop_study` would keep it from."""
        return self.adds_seeds or not self.progress.stopped

    @property
    def ended(self) -> int:
        """The number of trials that have ended, or are paused."""
        return sum(trial.held or trial.state not in UNDER_WAY for trial in self.progress.trials)

    @property
    def paused(self) -> int:
        """The number of trials that are paused."""
        return sum(trial.held for trial in self.progress.trials)

    @property
    def best_value(self) -> float | None:
        """The best NDCG@10 on validation of what is chosen of any model."""
        return max((each.best.value or 0.0 for each in self.progress.chosen()), default=None)

    def as_json(self) -> dict[str, Any]:
        """The study for programs: its definition, trials, and what it chose."""
        progress, study = self.progress, self.progress.study
        return {
            "name": study.name,
            "dataset": progress.first.dataset,
            "length": progress.first.length,
            "state": self.state,
            "trials": [trial_json(progress, trial) for trial in progress.trials],
            "chosen": [
                {
                    "model": each.model.model,
                    "trial": each.best.number,
                    "valid_ndcg": each.best.value,
                    "settings": progress.settings(each.model, each.best),
                    "trials": each.trials,
                    "seconds": each.seconds,
                }
                for each in progress.chosen()
            ],
            "profile": study.profile,
            "final_runs": [run.id for run in self.finals],
            "definition": study.model_dump(mode="json"),
        }


def find_study(con: sqlite3.Connection, name: str) -> StudyFound | None:
    """Read a study; ``None`` if there is none of this name.

    Raises:
        UserError: another version of seqbench began it.
    """
    progress = progress_of(con, name)
    if progress is None:
        return None
    runs = (get_run(con, run) for run, _ in runs_under(con, progress.study.profile))
    return StudyFound(progress, [run for run in runs if run is not None])


def study_named(con: sqlite3.Connection, name: str) -> StudyFound:
    """Read a study.

    Raises:
        UsageError: there is none of this name.
        UserError: another version of seqbench began it.
    """
    found = find_study(con, name)
    if found is None:
        raise UsageError(f"There is no study {name!r}: {did_you_mean(name, study_names(con))}")
    return found


def all_studies(con: sqlite3.Connection) -> tuple[list[StudyFound], list[str]]:
    """Read all studies, the newest first, and why others can't be read, in a sentence each."""
    studies, problems = [], []
    for name in study_names(con):
        try:
            studies.append(study_named(con, name))
        except UserError as error:
            problems.append(str(error))
    return studies, problems


def stop_study(location: StoreLocation, name: str) -> None:
    """End a study: it makes no further trial, those that wait leave the queue, and those in
    training go on to their end. A duel that is at its seeds gets no further one.

    Raises:
        StoreError: the store can't be written.
    """

    def end(con: StoreConnection) -> list[str]:
        found = find_study(con, name)
        if found is None:
            return []
        end_study(con, name, "over" if found.adds_seeds else "stopped")
        finals = found.finals if found.adds_seeds else ()
        trials = [(each.run, each.state) for each in found.progress.trials if not each.held]
        every = [*trials, *((run.id, run.state) for run in finals)]
        return [run for run, state in every if state in WAITING]

    request_cancel(location, transact(location, end))


def best_first(trial: StoredTrial) -> tuple[bool, float, int]:
    """Order trials by what they reached, those that can't be chosen last."""
    value = trial.value if trial.state == "done" else None
    return value is None or trial.cause == PRUNED, -(value or 0.0), trial.number


def trial_json(progress: Progress, trial: StoredTrial) -> dict[str, Any]:
    """Return a trial for programs: how it stands, what it reached, and what it tried."""
    return {
        "trial": trial.number,
        "model": trial.model,
        "state": trial.standing,
        "valid_ndcg": trial.value,
        "best_epoch": trial.best_epoch,
        "seconds": trial.seconds,
        "run": trial.run,
        "settings": settings_of(progress, trial),
    }


def setting_names(study: Study) -> list[str]:
    """List the settings that a study tries, of all its models."""
    return list(dict.fromkeys(name for model in study.models for name in model.space))


def settings_of(progress: Progress, trial: StoredTrial) -> Settings:
    """Return what a trial of a study tried; nothing if its model isn't the study's, as where a
    study of the same name was imported."""
    for model in progress.study.models:
        if model.model == trial.model:
            return progress.settings(model, trial)
    return {}


def best_so_far(progress: Progress, model: TunedModel) -> list[tuple[int, float]]:
    """Return how the best NDCG@10 on validation of a model's trials grew: how many of them there
    were by then, from 1 on, and the best of those that could be chosen. One pair a trial, from the
    first that could be on.
    """
    best: float | None = None
    steps = []
    for number, trial in enumerate(progress.of_model(model), 1):
        if trial.standing == "done" and trial.value is not None:
            best = trial.value if best is None else max(best, trial.value)
        if best is not None:
            steps.append((number, best))
    return steps
