"""A store with a study whose trials reached what a function says, and runs of what it chose."""

from __future__ import annotations

import math
import random
from contextlib import closing
from typing import Any

from measured_runs import MeasuredStore, journal
from reported_runs import add_reported

from engine.spec import ChosenBy, Range, RunSpec, Space, Study, Trial, TunedModel, amended
from engine.store.connect import connect_writer
from engine.store.database import write
from engine.store.intake.folders import save_unsaved
from engine.store.studies import end_study
from engine.tuning.progress import profile_run, progress_of

SPACE: Space = {
    "lr": Range(low=0.0001, high=0.01, log=True),
    "dropout": Range(low=0.0, high=0.6, step=0.1),
    "dim": (32, 64, 128),
}


def reached(model: str, settings: dict[str, Any]) -> float:
    """What a trial reaches: the learning rate decides, and dropout a little."""
    top = {"sasrec": 0.08, "bert4rec": 0.075, "xlstm": 0.07}[model]
    off = math.log10(settings["lr"] / 0.002) ** 2
    return top - 0.02 * off - 0.004 * abs(settings["dropout"] - 0.3)


def add_study(
    store: MeasuredStore,
    *models: str,
    name: str = "one",
    trials: int = 12,
    seeds: tuple[int, ...] = (1, 2),
    failed: tuple[int, ...] = (),
    over: bool = True,
    duel: int | None = None,
) -> list[str]:
    """Add a study of these models with all its trials, settings drawn at random, and runs of what
    it chose with so many seeds; return the ids of the trials.

    Args:
        failed: numbers of trials that failed.
        over: whether it is.
        duel: its most seeds, if it is one.
    """
    chance = random.Random(name)
    specs = {model: store.catalogue.run_spec(model, "ml-100k", 50, 1) for model in models}
    study = Study(
        name=name,
        models=tuple(
            TunedModel(
                model=model,
                profile="reference",
                architecture=spec.architecture,
                training=spec.training,
                space=SPACE,
            )
            for model, spec in specs.items()
        ),
        trials=trials,
        seed=1,
        final_seeds=len(seeds),
        duel=duel,
    )
    runs = []
    for number in range(trials * len(models)):
        model = study.models[number % len(models)]
        settings = {}
        if number >= len(models):
            settings = {
                "lr": float(f"{10 ** chance.uniform(-4, -2):.4g}"),
                "dropout": chance.randrange(7) / 10,
                "dim": chance.choice((32, 64, 128)),
            }
        spec = amended(profile_run(specs[model.model], study, model), settings)
        spec = spec.model_copy(update={"trial": Trial(number=number, study=study)})
        runs.append(_trial(store, spec, failed=number in failed))
    if over:
        with closing(connect_writer(store.location)) as connection:
            with write(connection):
                end_study(connection, name, "over")
            save_unsaved(connection, store.location)
            progress = progress_of(connection, name)
        assert progress is not None
        for chosen in progress.chosen():
            budget = ChosenBy(study=name, trials=chosen.trials, seconds=chosen.seconds)
            own = progress.settings(chosen.model, chosen.best)
            for seed in seeds:
                add_reported(store, chosen.model.model, 50, seed, study=budget, **own)
    return runs


def _trial(store: MeasuredStore, spec: RunSpec, *, failed: bool) -> str:
    run = store.add_spec(spec)
    own = {"lr": spec.training.lr, "dropout": spec.architecture.settings["dropout"]}
    best = reached(spec.model, own)
    lines = journal(spec.model, spec.dataset, 50, 1, 9, "failed" if failed else "done")
    for line in lines:
        if line["kind"] != "epoch":
            continue
        share = 1 - 0.02 * abs(line["epoch"] - 6)
        for key in [key for key in line if key.startswith("test_")]:
            del line[key]
        line |= {"valid_ndcg": best * share, "best_epoch": min(6, line["epoch"])}
    store.ran(run, lines)
    return run
