"""``seqbench studies``: list, show and stop the studies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import click

from engine.analysis.csvjson import csv_pieces
from engine.analysis.tuning.studies import tuned
from engine.order import settings_text
from engine.tuning.found import (
    StudyFound,
    all_studies,
    best_first,
    setting_names,
    stop_study,
    study_named,
    trial_json,
)
from engine.tuning.progress import Progress
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
from tui.cli.studies.verdict import verdict_of
from tui.shell.text import count, duration, number


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
            found, problems = all_studies(connection)
        for problem in problems:
            note(problem)
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
                f"{each.ended}/{each.progress.all_trials}",
                number(each.best_value),
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
    """Show a study's trials, the best of each model first, and what it chose.
    Of a duel it shows the looks and the verdict, too.
    """
    with session.reader() as connection:
        found = study_named(connection, name)
        verdict = verdict_of(connection, session.location, found)
    models = tuned(found.progress)
    if as_json:
        best = {each.model.model: [asdict(of) for of in each.told] for each in models}
        say_json(found.as_json() | {"expected_best": best} | verdict.content)
        return
    if as_csv:
        for piece in csv_pieces(_csv_lines(found.progress)):
            click.echo(piece, nl=False)
        return
    progress, study = found.progress, found.progress.study
    say(f"{study.name}: {progress.first.dataset} × {progress.first.length}")
    paused = f" or are paused ({found.paused})" if found.paused else ""
    ended = f"{found.ended} of {progress.all_trials} trials ended{paused}"
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
                trial.standing,
                number(trial.value),
                trial.best_epoch or "–",
                duration(trial.seconds),
                *settings_text(progress.settings(model, trial)).values(),
                trial.run,
            ]
            for trial in sorted(progress.of_model(model), key=best_first)
        ]
        headings = ["TRIAL", "STATE", "VALID", "BEST-EPOCH", "TIME", *settings, "RUN"]
        say_table(headings, rows, right=" ".join(["TRIAL VALID BEST-EPOCH TIME", *settings]))
    say()
    say_chosen(found)
    expected = [
        [each.model.model, of.trials, number(of.mean), f"{number(of.low)} to {number(of.high)}"]
        for each in models
        for of in each.told
    ]
    if expected:
        say()
        say("The expected best of so many trials, and where it lies in 95 % of draws:")
        say_table(["MODEL", "TRIALS", "VALID", "95 %"], expected, right="TRIALS VALID")
    verdict.say()


def say_chosen(found: StudyFound) -> None:
    """Print what a study chose of each model, and with which runs that is trained."""
    for each in found.progress.chosen():
        settings = settings_text(found.progress.settings(each.model, each.best))
        text = " ".join(f"{key}={value}" for key, value in settings.items())
        budget = f"of {count(each.trials, 'trial')} in {duration(each.seconds)}"
        say_fact(each.model.model, f"trial {each.best.number}, valid NDCG@10 "
                 f"{number(each.best.value)}, {budget}: {text}")  # fmt: skip
    for run in found.finals:
        say_fact("final run", f"{run.id} ({run.state})")


@studies.command()
@click.argument("name", metavar="STUDY")
@pass_session
def stop(session: Session, name: str) -> None:
    """End a study: it makes no further trial.
     Trials that wait leave the queue, those in training go on to their end. What is best by then is
    trained with fresh seeds, as at the end of every study. A duel that is at its seeds gets no
    further one.
    """
    with session.reader() as connection:
        found = study_named(connection, name)
    if not found.can_stop:
        note(f"{name} makes no further trial as it is.")
        return
    stop_study(session.location, name)
    with session.reader():
        if found.adds_seeds:
            note(f"{name} gets no further seed; what is in training goes on to its end.")
        else:
            note(f"{name} makes no further trial; what it chose is trained next.")


def _csv_lines(progress: Progress) -> Iterable[Sequence[Any]]:
    names = setting_names(progress.study)
    told = [trial_json(progress, trial) for trial in progress.trials]
    own = [name for name in told[0] if name != "settings"]
    yield (*own, *names)
    for each in told:
        yield (*(each[name] for name in own), *(each["settings"].get(name) for name in names))
