"""``seqbench tune``: begin a study, and keep what one chose as a recipe."""

from __future__ import annotations

import click

from engine.config.profiles import profile_of, save_profile
from engine.errors import UsageError
from engine.planning.study import FINAL_SEEDS, TRIALS
from engine.spec import RunSpec
from engine.spec.study import MOST_TRIALS
from engine.tuning.found import study_named
from tui.cli import completion
from tui.cli.session import Listed, Session, flat, json_option, note, pass_session, say, say_json
from tui.cli.studies.beginning import Asked, announce, begin, follow_study, study_options
from tui.cli.studies.studies import say_chosen
from tui.shell.text import count


@click.command()
@click.option(
    *("--model", "models"),
    type=Listed("NAMES"),
    multiple=True,
    shell_complete=completion.models,
    help="Which models to tune, with commas between them",
)
@click.option(
    "--trials",
    type=click.IntRange(1, MOST_TRIALS),
    metavar="N",
    default=TRIALS,
    show_default=True,
    help="Most trials of each model.",
)
@study_options
@click.option(
    "--final-seeds",
    type=click.IntRange(0, 1000),
    metavar="N",
    default=FINAL_SEEDS,
    show_default=True,
    help="Fresh seeds that the chosen settings are trained with.",
)
@click.option("--wait", is_flag=True, help="Follow the study; exit with 1 if it chose nothing.")
@click.option(
    "--keep", metavar="STUDY", help="Write what a study chose as recipes, and tune nothing."
)
@click.option("--replace", is_flag=True, help="With --keep, rewrite files of models that you have.")
@json_option
@pass_session
@click.pass_context
def tune(
    ctx: click.Context,
    session: Session,
    models: tuple[tuple[str, ...], ...],
    trials: int,
    asked: Asked,
    final_seeds: int,
    wait: bool,
    keep: str | None,
    replace: bool,
    as_json: bool,
) -> None:
    """Choose settings of models on validation.
     Begins a study in the background: as many trials of each model, the first one with its recipe
    as it stands. None is evaluated on test. In the end the best settings are trained with fresh
    seeds, and compared as the profile study-NAME. Prints the study's name.
    """
    if keep is not None:
        if models or asked.dataset:
            raise UsageError("--keep tunes nothing: leave out --model and --dataset.")
        _keep(session, keep, replace)
        return
    if not models or asked.dataset is None:
        raise UsageError(f"{'--dataset' if models else '--model'} is needed.")
    study = begin(
        session, asked, asked.dataset, flat(models), trials=trials, final_seeds=final_seeds
    )
    begun = (
        f"Study {study.name}: {count(trials, 'trial')} of each of "
        f"{count(len(study.models), 'model')}; `seqbench studies show {study.name}` lists them."
    )
    announce(session, study, begun, as_json=as_json, wait=wait)
    if wait:
        _wait(ctx, session, study.name, as_json)


def _wait(ctx: click.Context, session: Session, study: str, as_json: bool) -> None:
    found = follow_study(ctx, session, study)
    if as_json:
        say_json(found.as_json())
    else:
        say_chosen(found)
    if not found.progress.chosen() or any(run.state != "done" for run in found.finals):
        ctx.exit(1)


def _keep(session: Session, name: str, replace: bool) -> None:
    with session.reader() as connection:
        found = study_named(connection, name)
    chosen = found.progress.chosen()
    if not chosen:
        raise UsageError(f"No trial of {name} is done: there is nothing to keep.")
    study = found.progress.study
    for each in chosen:
        best = RunSpec.model_validate(each.best.spec)
        budget = {"chosen_by": found.progress.budget(each)}
        profile = profile_of(best.model_copy(update=budget))
        path = save_profile(
            session.catalogue, each.model.model, study.profile, profile, session.config_dir, replace
        )
        say(str(path))
    note(f"`seqbench run --profile {study.profile}` trains with these settings.")
