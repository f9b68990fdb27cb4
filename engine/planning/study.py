"""Studies to begin: their definition, checked, and their first trials."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from engine.analysis.export import listed
from engine.config import Catalogue
from engine.config.layers import invalid_name
from engine.config.overrides import combinations, setting_name, swept
from engine.config.spaces import Given, load_space
from engine.errors import UsageError, UserError, shown
from engine.spec import Prune, RunSpec, Sampler, Study, Sweep, TunedModel
from engine.store.location import StoreLocation
from engine.store.requests import enqueue
from engine.tuning.ask import NO_OPTUNA, grid, has_optuna
from engine.tuning.progress import first_trials
from engine.validation import InvalidError, validate

LONGEST_NAME = 40
TRIALS = 20
SEED = 1
FINAL_SEEDS = 3
DUEL_SEEDS = 10


@dataclass(frozen=True)
class StudyOrder:
    """A study as it is asked for."""

    models: Sequence[str]
    dataset: str
    length: int
    profile: str = "reference"
    settings: Mapping[str, Sweep] | None = None
    """Settings that all trials have, which aren't tried."""
    spaces: Given = field(default_factory=dict)
    """Those that go before the configured ones."""
    trials: int = TRIALS
    """Of each model."""
    minutes: float | None = None
    """Of training of each model's trials together; ``None`` for no limit."""
    sampler: Sampler = "tpe"
    prune: Prune = "none"
    seed: int = SEED
    final_seeds: int = FINAL_SEEDS
    duel: int | None = None
    """Most seeds of each model of a duel, which begins with the final ones; ``None`` of others."""
    name: str | None = None
    """``None``: after models, data set and length."""


def fitted_sentence(models: Sequence[str]) -> str:
    """Say why fitted models, one or more by name, aren't tuned."""
    names = listed(models)
    if len(models) == 1:
        return f"{names} is fitted, not trained: it tries its settings on validation by itself."
    return f"{names} are fitted, not trained: they try their settings on validation by themselves."


def plan_study(
    catalogue: Catalogue, config_dir: Path | None, order: StudyOrder, taken: Collection[str] = ()
) -> list[RunSpec]:
    """Check a study, and return its first trials: of each model its profile as it stands. They hold
    all that a supervisor needs to go on with it.

    Args:
        config_dir: the value of ``--config-dir``.
        taken: names of the studies that there are.

    Raises:
        ConfigError: a space can't be read.
        UsageError: a name that isn't known or is taken, a value that can't be, a model that isn't
            trained or has no space.
        UserError: Optuna isn't installed.
    """
    if order.sampler != "grid" and not has_optuna():
        raise UserError(NO_OPTUNA)
    for key, values in swept(order.settings or {}).items():
        raise UsageError(f"{key} is given {values} values: put them into a space (docs/tuning.md).")
    names = dict.fromkeys(catalogue.model(model).name for model in order.models)
    if order.duel is not None and len(names) != 2:
        raise UsageError("A duel is between two models: name two different ones.")
    made = [_tuned(catalogue, config_dir, order, name) for name in names]
    first = made[0][1]
    content: dict[str, Any] = {
        "name": _name(order, [*names], first.dataset, taken),
        "models": tuple(model for model, _ in made),
        "trials": order.trials,
        "minutes": order.minutes,
        "sampler": order.sampler,
        "prune": order.prune,
        "seed": order.seed,
        "final_seeds": order.final_seeds,
        "duel": order.duel,
    }
    try:
        study = validate(Study, content)
    except InvalidError as error:
        if error.key_path == ("name",):
            raise invalid_name("study", content["name"]) from None
        raise UsageError(error.sentence) from None
    return first_trials(study, first)


def study_of(first: Sequence[RunSpec]) -> Study:
    """Return the study that first trials begin."""
    trial = first[0].trial
    assert trial is not None  # they are a study's trials
    return trial.study


def begin_study(
    location: StoreLocation, first: Sequence[RunSpec], launcher: str | None = None
) -> list[str]:
    """Queue a study's first trials, with which it begins; return their ids.

    Args:
        first: what `plan_study` returned.
        launcher: where all its runs go; ``None`` is the supervisor's machine.

    Raises:
        UsageError: there is a study of that name by now.
        StoreError: the store can't be written.
    """
    return enqueue(location, first, None, launcher)


def _tuned(
    catalogue: Catalogue, config_dir: Path | None, order: StudyOrder, name: str
) -> tuple[TunedModel, RunSpec]:
    """Return a model of a study, and a run of its profile as it stands."""
    fixed = next(combinations(order.settings or {}))
    spec = catalogue.run_spec(name, order.dataset, order.length, order.seed, order.profile, fixed)
    if spec.fitted:
        raise UsageError(fitted_sentence([name]))
    if spec.training.refit:
        raise UsageError("refit can't be in a study, which chooses by validation.")
    space = load_space(catalogue.model(name), order.profile, config_dir, order.spaces)
    taken = set(map(setting_name, fixed))
    space = {key: choice for key, choice in space.items() if key not in taken}
    if not space:
        raise UsageError(f"Nothing of the space of {name} is left to try.")
    for key in ("epochs", "patience"):
        if order.prune != "none" and key in space:
            raise UsageError(f"{name} tries {key}, by which trials are paused: set it.")
    if order.sampler == "grid":
        next(iter(grid(space)))
    model = TunedModel(
        model=name,
        profile=order.profile,
        architecture=spec.architecture,
        training=spec.training,
        code=spec.code,
        space=space,
    )
    return model, spec


def _name(order: StudyOrder, models: Sequence[str], dataset: str, taken: Collection[str]) -> str:
    """Return the study's name, if none is given one that isn't taken."""
    if order.name is not None:
        if order.name in taken:
            raise UsageError(f"There is a study {shown(order.name)} already: choose another name.")
        return order.name
    stem = f"{'-'.join(models)}-{dataset}-l{order.length}"
    for number in count(1):
        more = f"-{number}" if number > 1 else ""
        if (name := stem[: LONGEST_NAME - len(more)].rstrip("-._") + more) not in taken:
            break
    return name
