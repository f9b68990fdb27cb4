"""``seqbench tune``: begin a study, and keep what one chose as a recipe."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from engine.config.profiles import profile_of, save_profile
from engine.config.spaces import read_spaces
from engine.datasets.locate import is_ready
from engine.errors import UsageError
from engine.order import parse_lengths, parse_settings
from engine.planning import StudyOrder, begin_study, plan_study
from engine.planning.study import FINAL_SEEDS, TRIALS, study_of
from engine.spec import Prune, RunSpec, Sampler
from engine.store.connect import connect_reader
from engine.store.studies import study_names
from engine.tuning.found import study_named
from tui.cli import completion
from tui.cli.progress import progress
from tui.cli.runs.following import follow
from tui.cli.runs.run import asked_launcher, check_data
from tui.cli.session import Listed, Session, flat, json_option, note, pass_session, say, say_json
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
    "--dataset",
    metavar="NAME",
    shell_complete=completion.entries("datasets"),
    help="On which data set.",
)
@click.option("--length", metavar="NUMBER", default="50", show_default=True, help="Sequence length")
@click.option(
    "--profile",
    metavar="NAME",
    default="reference",
    show_default=True,
    help="The recipe that is the first trial of each model.",
)
@click.option(
    *("--set", "settings"),
    metavar="KEY=VALUE",
    multiple=True,
    shell_complete=completion.settings,
    help="A setting that all trials have, such as epochs=100.",
)
@click.option(
    "--trials",
    type=click.IntRange(1, 10_000),
    metavar="N",
    default=TRIALS,
    show_default=True,
    help="Most trials of each model.",
)
@click.option(
    "--minutes",
    type=click.FloatRange(min=0, min_open=True),
    metavar="M",
    help="Most training of each model's trials together.",
)
@click.option(
    "--sampler",
    type=click.Choice(["tpe", "random", "grid"]),
    default="tpe",
    show_default=True,
    help="How the next settings are chosen.",
)
@click.option(
    "--prune",
    type=click.Choice(["asha", "none"]),
    default="none",
    show_default=True,
    help="asha trains only the better trials on.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**31 - 1),
    metavar="N",
    default=1,
    show_default=True,
    help="Of all trials, and of the sampler.",
)
@click.option(
    "--final-seeds",
    type=click.IntRange(0, 1000),
    metavar="N",
    default=FINAL_SEEDS,
    show_default=True,
    help="Fresh seeds that the chosen settings are trained with.",
)
@click.option(
    *("--space", "spaces"),
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    multiple=True,
    help="What to try of a model, in place of configs/spaces; may be repeated.",
)
@click.option("--name", metavar="NAME", help="The study's name.")
@click.option(
    "--launcher",
    metavar="NAME",
    shell_complete=completion.launchers,
    help="Where to run: a profile in configs/launchers, such as slurm.  [default: local]",
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
    dataset: str | None,
    length: str,
    profile: str,
    settings: tuple[str, ...],
    trials: int,
    minutes: float | None,
    sampler: Sampler,
    prune: Prune,
    seed: int,
    final_seeds: int,
    spaces: tuple[Path, ...],
    name: str | None,
    launcher: str | None,
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
        if models or dataset:
            raise UsageError("--keep tunes nothing: leave out --model and --dataset.")
        _keep(session, keep, replace)
        return
    if not models or dataset is None:
        raise UsageError(f"{'--dataset' if models else '--model'} is needed.")
    (one, *others) = parse_lengths(length)
    if others:
        raise UsageError("A study has one length.")
    cluster = asked_launcher(session, launcher)
    order = StudyOrder(
        models=flat(models),
        dataset=dataset,
        length=one,
        profile=profile,
        settings=parse_settings("\n".join(settings)),
        spaces=read_spaces(spaces),
        trials=trials,
        minutes=minutes,
        sampler=sampler,
        prune=prune,
        seed=seed,
        final_seeds=final_seeds,
        name=name,
    )
    with progress("Planning the study"):
        first = plan_study(session.catalogue, session.config_dir, order, _taken(session))
    source = first[0].source
    check_data([] if is_ready(source) else [source], [source])
    begin_study(session.location, first, cluster.name if cluster else None)
    study = study_of(first).name
    with session.reader():
        note(
            f"Study {study}: {count(trials, 'trial')} of each of {count(len(first), 'model')}; "
            f"`seqbench studies show {study}` lists them."
        )
    if not as_json:
        say(study)
    elif not wait:
        say_json({"study": study})
    if wait:
        _wait(ctx, session, study, as_json)


def _taken(session: Session) -> list[str]:
    if not session.has_store:
        return []
    with session.reader() as connection:
        return study_names(connection)


def _wait(ctx: click.Context, session: Session, study: str, as_json: bool) -> None:
    try:
        follow(session, None, note, study=study)
    except KeyboardInterrupt:
        note(
            "The study goes on in the background: `seqbench watch` follows it, `seqbench studies "
            f"stop {study}` ends it."
        )
        ctx.exit(130)
    with closing(connect_reader(session.location)) as connection:
        found = study_named(connection, study)
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
