"""Where a study stands: its next trial, and what it chose."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from pydantic import ValidationError

from engine.errors import UserError
from engine.lifecycle import UNDER_WAY
from engine.rungs import PRUNED, REDUCTION
from engine.spec import ChosenBy, RunSpec, Study, Training, Trial, TunedModel, amended
from engine.store.studies import StoredTrial, trials_of, values_at
from engine.tuning.ask import Past, Settings, ask


@dataclass(frozen=True)
class Chosen:
    """The best trial of a model, and what it was chosen of."""

    model: TunedModel
    best: StoredTrial
    trials: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Promotion:
    """A paused trial that may train on."""

    run: str
    epoch: int
    """To which."""


@dataclass(frozen=True)
class Progress:
    """A study and its trials so far."""

    study: Study
    first: RunSpec
    """Of one of its trials: all have its data set and length."""
    trials: Sequence[StoredTrial]
    """By number."""
    at_rungs: Mapping[int, Mapping[str, float]] = field(default_factory=dict)
    """Of a study with successive halving: by rung, what the trials that reached it had reached by
    then, by run id."""

    @property
    def stopped(self) -> bool:
        """Whether it makes no further trial, though it may have some left."""
        return any(trial.end is not None for trial in self.trials)

    @property
    def over(self) -> bool:
        """Whether what it chose was queued."""
        return any(trial.end == "over" for trial in self.trials)

    @property
    def all_trials(self) -> int:
        """The most trials that it may have, over all models."""
        return self.study.trials * len(self.study.models)

    def of_model(self, model: TunedModel) -> list[StoredTrial]:
        """Return the trials of a model, by number."""
        return [trial for trial in self.trials if trial.model == model.model]

    def seconds(self, model: TunedModel) -> float:
        """Return the time in training of the trials of a model together."""
        return sum(trial.seconds for trial in self.of_model(model))

    def settings(self, model: TunedModel, trial: StoredTrial) -> Settings:
        """Return what a trial tried: its values of the settings of the space."""
        return {name: _value(trial.spec, name) for name in model.space}

    def best(self, model: TunedModel) -> StoredTrial | None:
        """Return the finished trial of a model with the highest validation NDCG@10, of equal ones
        the first; ``None`` if there is none. None that was pruned is."""
        done = [each for each in self.of_model(model) if each.can_be_chosen]
        return max(done, key=lambda each: (each.value or 0.0, -each.number), default=None)

    def chosen(self) -> list[Chosen]:
        """Return what is chosen of each model that has a finished trial."""
        found = []
        for model in self.study.models:
            if (best := self.best(model)) is not None:
                trials = len(self.of_model(model))
                found.append(Chosen(model, best, trials, self.seconds(model)))
        return found

    def budget(self, chosen: Chosen) -> ChosenBy:
        """Return what a choice cost, as runs and recipes say it."""
        return ChosenBy(study=self.study.name, trials=chosen.trials, seconds=chosen.seconds)

    def promotion(self) -> Promotion | None:
        """Return the next paused trial to train on: the first of the best half of those that
        reached its rung, at the highest rung that has one; ``None`` if there is none."""
        for model in self.study.models:
            for rung, further in self._steps(model):
                ranked = self._ranked(model, rung)
                for trial in ranked[: len(ranked) // REDUCTION]:
                    if trial.held and rung <= (trial.epoch or 0) < further:
                        return Promotion(trial.run, further)
        return None

    def last_promotion(self) -> Promotion | None:
        """Return the paused trial that is trained on at the end, if no trial of its model is
        trained to its end: the best one at the highest rung that any has reached."""
        for model in self.study.models:
            for rung, further in self._steps(model):
                held = [each for each in self._ranked(model, rung) if each.held]
                if self.best(model) is None and held:
                    return Promotion(held[0].run, further)
        return None

    def _steps(self, model: TunedModel) -> list[tuple[int, int]]:
        """Return the rungs of a model, the highest first, each with the next one's epoch."""
        ends = (*self.study.rungs(model.model), model.training.epochs)
        return list(reversed(list(pairwise(ends))))

    def _ranked(self, model: TunedModel, rung: int) -> list[StoredTrial]:
        """Return a model's trials that reached a rung, the best there first."""
        values = self.at_rungs.get(rung, {})
        reached = [each for each in self.of_model(model) if each.run in values]
        return sorted(reached, key=lambda each: (-values[each.run], each.number))

    def next_trial(self) -> RunSpec | None:
        """Return the next trial, of the model with the fewest so far; ``None`` if there is none.

        Raises:
            UserError: Optuna isn't installed, or the settings that it draws can't be.
        """
        if self.stopped:
            return None
        for model in sorted(self.study.models, key=lambda each: len(self.of_model(each))):
            if self._has_budget(model) and (found := self._next_of(model)) is not None:
                return found
        return None

    def finals(self, seeds: int | None = None) -> list[RunSpec]:
        """Return the runs of what was chosen, with fresh seeds: the cells that are compared.

        Args:
            seeds: how many of each model; ``None`` for those that every study ends with.

        Raises:
            UserError: what was chosen can't be trained by this version of seqbench.
        """
        study = self.study
        number = study.final_seeds if seeds is None else seeds
        seeds_after = range(study.seed + 1, study.seed + 1 + number)
        made = []
        for each in self.chosen():
            settings = self.settings(each.model, each.best)
            try:
                spec = amended(profile_run(self.first, study, each.model), settings)
            except ValidationError as error:
                raise _of_another_version(study.name, error) from None
            own = {"profile": study.profile, "chosen_by": self.budget(each)}
            made += [spec.model_copy(update={"seed": seed, **own}) for seed in seeds_after]
        return made

    def _has_budget(self, model: TunedModel) -> bool:
        minutes = self.study.minutes
        has_time = minutes is None or self.seconds(model) < 60 * minutes
        return has_time and len(self.of_model(model)) < self.study.trials

    def _next_of(self, model: TunedModel) -> RunSpec | None:
        study, trials = self.study, self.of_model(model)
        number = max((trial.number for trial in self.trials), default=-1) + 1
        profile = profile_run(self.first, study, model)
        settings: Settings | None = {}
        if trials:  # the first one is the profile as it stands
            past = [_past(self.settings(model, each), each) for each in trials]
            settings = ask(
                model.space, study.sampler, study.seed, number, study.trials, past,
                lambda drawn: _is_possible(profile, drawn),
            )  # fmt: skip
        if settings is None:
            return None
        trial = Trial(number=number, study=study)
        return amended(profile, settings).model_copy(update={"trial": trial})


def _is_possible(profile: RunSpec, settings: Settings) -> bool:
    try:
        amended(profile, settings)
    except ValidationError:
        return False
    return True


def profile_run(first: RunSpec, study: Study, model: TunedModel) -> RunSpec:
    """Return a run of a study's model whose settings are the profile's as it stands.

    Args:
        first: any run on the study's data set at its length.
    """
    own = ("model", "profile", "architecture", "training", "code")
    changes = {name: getattr(model, name) for name in own}
    return first.model_copy(update=changes | {"trial": None, "chosen_by": None, "seed": study.seed})


def first_trials(study: Study, first: RunSpec) -> list[RunSpec]:
    """Return the trials that a study begins with: of each model its profile as it stands.

    Args:
        first: any run on the study's data set at its length.
    """
    return [
        profile_run(first, study, model).model_copy(
            update={"trial": Trial(number=number, study=study)}
        )
        for number, model in enumerate(study.models)
    ]


def progress_of(con: sqlite3.Connection, name: str) -> Progress | None:
    """Read where a study stands; ``None`` if there is none of this name.

    Raises:
        UserError: another version of seqbench began it.
    """
    trials = trials_of(con, name)
    if not trials:
        return None
    try:
        first = RunSpec.model_validate(trials[0].spec)
    except ValidationError as error:
        raise _of_another_version(name, error) from None
    assert first.trial is not None  # it is a trial's
    study = first.trial.study
    every = {rung for model in study.models for rung in study.rungs(model.model)}
    at_rungs = {rung: values_at(con, name, rung) for rung in every}
    return Progress(study, first, trials, at_rungs)


def _of_another_version(name: str, error: ValidationError) -> UserError:
    problem = error.errors()[0]["msg"]
    return UserError(f"The study {name} is of another version: {problem}.")


def _past(settings: Settings, trial: StoredTrial) -> Past:
    if trial.held or trial.cause == PRUNED:
        return Past(settings, "paused", trial.value, trial.epoch or 0)
    if trial.state in UNDER_WAY:
        return Past(settings, "running", None)
    done = trial.state == "done" and trial.value is not None
    return Past(settings, "done" if done else "failed", trial.value if done else None)


def _value(spec: dict[str, Any], name: str) -> Any:
    section = "training" if name in Training.model_fields else "architecture"
    return spec.get(section, {}).get(name)
