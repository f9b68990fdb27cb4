"""``seqbench studies``: list, show and stop the studies."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import click

from engine.analysis.csvjson import csv_pieces
from engine.errors import UsageError, UserError, did_you_mean
from engine.lifecycle import UNDER_WAY, WAITING
from engine.order import settings_text
from engine.rungs import PAUSED, PRUNED
from engine.store.queries import Run, get_run
from engine.store.requests import request_cancel, transact
from engine.store.studies import End, StoredTrial, end_study, runs_under, study_names
from engine.tuning.progress import Progress, progress_of
from tui.cli.session import (
    Session,
    json_option,
    note,
    pass_session,
    say,
    say_fact,
    say_json,
    say_table,
)
from tui.shell.text import count, duration, number


@dataclass(frozen=True)
class StudyFound:
    """A study of the store, with the runs of what it chose."""

    progress: Progress
    finals: Sequence[Run]

    @property
    def state(self) -> str:
        """What it is at, in a word or two."""
        if not self.progress.over:
            return "stopping" if self.progress.stopped else "tuning"
        going_on = any(run.state in UNDER_WAY for run in self.finals)
        return "training what it chose" if going_on else "done"

    @property
    def name(self) -> str:
        return self.progress.study.name

    def as_json(self) -> dict[str, Any]:
        """The study for programs: its definition, trials, and what it chose."""
        progress, study = self.progress, self.progress.study
        return {
            "name": study.name,
            "dataset": progress.first.dataset,
            "length": progress.first.length,
            "state": self.state,
            "trials": [_trial_json(progress, trial) for trial in progress.trials],
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


def studies_named(connection: sqlite3.Connection, names: Sequence[str]) -> list[StudyFound]:
    """Read studies by name. Raises `UsageError` if there is none of a name."""
    found = []
    for name in names:
        progress = progress_of(connection, name)
        if progress is None:
            hint = did_you_mean(name, study_names(connection))
            raise UsageError(f"There is no study {name!r}: {hint}")
        runs = (
            get_run(connection, run) for run, _ in runs_under(connection, progress.study.profile)
        )
        found.append(StudyFound(progress, [run for run in runs if run is not None]))
    return found


@click.group(invoke_without_command=True)
@json_option
@pass_session
@click.pass_context
def studies(ctx: click.Context, session: Session, as_json: bool) -> None:
    """List the studies, show or stop one.
    A study chooses settings of models on validation: see `seqbench tune`.
    """
    if ctx.invoked_subcommand is not None:
        return
    found: list[StudyFound] = []
    if session.has_store:
        with session.reader() as connection:
            for name in study_names(connection):
                try:
                    found += studies_named(connection, [name])
                except UserError as error:
                    note(str(error))
    if as_json:
        say_json([each.as_json() for each in found])
        return
    if not found:
        note("There are no studies yet: see `seqbench tune`.")
        return
    say_table(
        ["STUDY", "DATASET", "LENGTH", "MODELS", "TRIALS", "VALID NDCG@10", "STATE"],
        [
            [
                each.name,
                each.progress.first.dataset,
                each.progress.first.length,
                ", ".join(model.model for model in each.progress.study.models),
                f"{_ended(each.progress)}/{each.progress.all_trials}",
                number(_best_value(each.progress)),
                each.state,
            ]
            for each in found
        ],
        right="LENGTH TRIALS VALID NDCG@10",
    )


@studies.command()
@click.argument("name", metavar="STUDY")
@click.option("--csv", "as_csv", is_flag=True, help="The trials as CSV on stdout.")
@json_option
@pass_session
def show(session: Session, name: str, as_csv: bool, as_json: bool) -> None:
    """Show a study's trials, the best of each model first, and what it chose."""
    with session.reader() as connection:
        (found,) = studies_named(connection, [name])
    if as_json:
        say_json(found.as_json())
        return
    if as_csv:
        for piece in csv_pieces(_csv_lines(found.progress)):
            click.echo(piece, nl=False)
        return
    progress, study = found.progress, found.progress.study
    say(f"{study.name}: {progress.first.dataset} × {progress.first.length}")
    held = sum(trial.held for trial in progress.trials)
    paused = f" or are paused ({held})" if held else ""
    ended = f"{_ended(progress)} of {progress.all_trials} trials ended{paused}"
    say_fact("state", f"{found.state}, {ended}")
    say_fact("sampler", f"{study.sampler}, seed {study.seed}, pruning {study.prune}")
    if study.minutes is not None:
        say_fact("budget", f"{study.minutes:g} minutes of training of each model")
    for model in study.models:
        settings = list(model.space)
        say()
        say(f"{model.model}, profile {model.profile}")
        rows = [
            [
                trial.number,
                _state(trial),
                number(trial.value),
                trial.best_epoch or "–",
                duration(trial.seconds),
                *settings_text(progress.settings(model, trial)).values(),
                trial.run,
            ]
            for trial in sorted(progress.of_model(model), key=_best_first)
        ]
        headings = ["TRIAL", "STATE", "VALID", "EPOCH", "TIME", *settings, "RUN"]
        say_table(headings, rows, right=" ".join(["TRIAL VALID EPOCH TIME", *settings]))
    say()
    say_chosen(found)


def say_chosen(found: StudyFound) -> None:
    """Print what a study chose of each model, and with which runs that is trained."""
    for each in found.progress.chosen():
        settings = settings_text(found.progress.settings(each.model, each.best))
        text = " ".join(f"{key}={value}" for key, value in settings.items())
        budget = f"of {count(each.trials, 'trial')} in {duration(each.seconds)}"
        say_fact(each.model.model, f"trial {each.best.number}, valid NDCG@10 "
                 f"{number(each.best.value)}, {budget}: {text}")  # fmt: skip
    for run in found.finals:
        say_fact(found.progress.study.profile, f"{run.id} ({run.state})")


@studies.command()
@click.argument("name", metavar="STUDY")
@pass_session
def stop(session: Session, name: str) -> None:
    """End a study: it makes no further trial.
     Trials that wait leave the queue, those in training go on to their end. What is best by then is
    trained with fresh seeds, as at the end of every study.
    """
    with session.reader() as connection:
        (found,) = studies_named(connection, [name])
    if found.progress.stopped:
        note(f"{name} makes no further trial as it is.")
        return
    ending: End = "stopped"
    transact(session.location, lambda connection: end_study(connection, name, ending))
    trials = found.progress.trials
    waiting = [trial.run for trial in trials if trial.state in WAITING and not trial.held]
    request_cancel(session.location, waiting)
    with session.reader():
        note(f"{name} makes no further trial; what it chose is trained next.")


def _state(trial: StoredTrial) -> str:
    if trial.held:
        return PAUSED
    return PRUNED if trial.cause == PRUNED else trial.state


def _ended(progress: Progress) -> int:
    """Count the trials that have ended, or are paused."""
    return sum(trial.held or trial.state not in UNDER_WAY for trial in progress.trials)


def _best_value(progress: Progress) -> float | None:
    return max((each.best.value or 0.0 for each in progress.chosen()), default=None)


def _best_first(trial: StoredTrial) -> tuple[bool, float, int]:
    value = trial.value if trial.state == "done" else None
    return value is None or trial.cause == PRUNED, -(value or 0.0), trial.number


def _trial_json(progress: Progress, trial: StoredTrial) -> dict[str, Any]:
    model = next(each for each in progress.study.models if each.model == trial.model)
    return {
        "trial": trial.number,
        "model": trial.model,
        "state": _state(trial),
        "valid_ndcg": trial.value,
        "best_epoch": trial.best_epoch,
        "seconds": trial.seconds,
        "run": trial.run,
        "settings": progress.settings(model, trial),
    }


def _csv_lines(progress: Progress) -> Iterable[Sequence[Any]]:
    names = list(dict.fromkeys(name for model in progress.study.models for name in model.space))
    told = [_trial_json(progress, trial) for trial in progress.trials]
    own = [name for name in told[0] if name != "settings"]
    yield (*own, *names)
    for each in told:
        yield (*(each[name] for name in own), *(each["settings"].get(name) for name in names))
