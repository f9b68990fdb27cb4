"""What commands that begin a study have in common: their options, beginning one, following it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, fields
from functools import reduce, wraps
from pathlib import Path
from typing import Any, get_args

import click

from engine.config.spaces import read_spaces
from engine.datasets.locate import is_ready
from engine.errors import UsageError
from engine.order import parse_lengths, parse_settings
from engine.planning import StudyOrder, begin_study, plan_study
from engine.planning.study import SEED, study_of
from engine.spec import Prune, Sampler, Study
from engine.store.connect import connect_reader
from engine.store.studies import study_names
from engine.tuning.found import StudyFound, study_named
from tui.cli import completion
from tui.cli.progress import progress
from tui.cli.runs.following import follow
from tui.cli.runs.run import asked_launcher, check_data
from tui.cli.session import Session, note, say, say_json


@dataclass(frozen=True)
class Asked:
    """What every study is asked for with, but for its models and their trials."""

    dataset: str | None
    length: str
    profile: str
    settings: tuple[str, ...]
    minutes: float | None
    sampler: Sampler
    prune: Prune
    seed: int
    spaces: tuple[Path, ...]
    name: str | None
    launcher: str | None


_OPTIONS = (
    click.option(
        "--dataset",
        metavar="NAME",
        shell_complete=completion.entries("datasets"),
        help="On which data set.",
    ),
    click.option(
        "--length", metavar="NUMBER", default="50", show_default=True, help="Sequence length"
    ),
    click.option(
        "--profile",
        metavar="NAME",
        default="reference",
        show_default=True,
        help="The recipe that is the first trial of each model.",
    ),
    click.option(
        *("--set", "settings"),
        metavar="KEY=VALUE",
        multiple=True,
        shell_complete=completion.settings,
        help="A setting that all trials have, such as epochs=100.",
    ),
    click.option(
        "--minutes",
        type=click.FloatRange(min=0, min_open=True),
        metavar="M",
        help="Most training of each model's trials together.",
    ),
    click.option(
        "--sampler",
        type=click.Choice(get_args(Sampler)),
        default="tpe",
        show_default=True,
        help="How the next settings are chosen.",
    ),
    click.option(
        "--prune",
        type=click.Choice(get_args(Prune)),
        default="none",
        show_default=True,
        help="asha trains only the better trials on.",
    ),
    click.option(
        "--seed",
        type=click.IntRange(0, 2**31 - 1),
        metavar="N",
        default=SEED,
        show_default=True,
        help="Of all trials, and of the sampler.",
    ),
    click.option(
        *("--space", "spaces"),
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        metavar="FILE",
        multiple=True,
        help="What to try of a model, in place of configs/spaces; may be repeated.",
    ),
    click.option("--name", metavar="NAME", help="The study's name."),
    click.option(
        "--launcher",
        metavar="NAME",
        shell_complete=completion.launchers,
        help="Where to run: a profile in configs/launchers, such as slurm.  [default: local]",
    ),
)


def study_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of every study, which it gets as ``asked``."""

    @wraps(command)
    def with_asked(*arguments: Any, **given: Any) -> None:
        own = {each.name: given.pop(each.name) for each in fields(Asked)}
        command(*arguments, asked=Asked(**own), **given)

    return reduce(lambda decorated, option: option(decorated), reversed(_OPTIONS), with_asked)


def begin(
    session: Session, asked: Asked, dataset: str, models: Sequence[str], **other: Any
) -> Study:
    """Begin a study in the background.

    Args:
        other: fields of a `StudyOrder` that aren't asked of every study.
    """
    (one, *others) = parse_lengths(asked.length)
    if others:
        raise UsageError("A study has one length.")
    cluster = asked_launcher(session, asked.launcher)
    order = StudyOrder(
        models=models,
        dataset=dataset,
        length=one,
        profile=asked.profile,
        settings=parse_settings("\n".join(asked.settings)),
        spaces=read_spaces(asked.spaces),
        minutes=asked.minutes,
        sampler=asked.sampler,
        prune=asked.prune,
        seed=asked.seed,
        name=asked.name,
        **other,
    )
    taken: list[str] = []
    if session.has_store:
        with session.reader() as connection:
            taken = study_names(connection)
    with progress("Planning the study"):
        first = plan_study(session.catalogue, session.config_dir, order, taken)
    source = first[0].source
    check_data([] if is_ready(source) else [source], [source])
    begin_study(session.location, first, cluster.name if cluster else None)
    return study_of(first)


def announce(session: Session, study: Study, begun: str, *, as_json: bool, wait: bool) -> None:
    """See to it that a study is worked on, and print its name on stdout: with ``as_json`` as JSON,
    unless it is followed to its end, of which more is printed then.

    Args:
        begun: what has begun, for stderr.
    """
    with session.reader():
        note(begun)
    if not as_json:
        say(study.name)
    elif not wait:
        say_json({"study": study.name})


def follow_study(ctx: click.Context, session: Session, study: str) -> StudyFound:
    """Follow a study on stderr until it is over; on Ctrl+C say that it continues, and exit with
    130."""
    try:
        follow(session, None, note, study=study)
    except KeyboardInterrupt:
        note(
            "The study goes on in the background: `seqbench watch` follows it, `seqbench studies "
            f"stop {study}` ends it."
        )
        ctx.exit(130)
    with closing(connect_reader(session.location)) as connection:
        return study_named(connection, study)
