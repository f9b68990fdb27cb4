"""``seqbench duel``: tune two models alike, and add seeds until the paired test decides."""

from __future__ import annotations

import click

from engine.errors import UsageError
from engine.planning.study import DUEL_SEEDS, FINAL_SEEDS, TRIALS
from engine.spec.study import MOST_DUEL_SEEDS, MOST_TRIALS
from tui.cli import completion
from tui.cli.session import Session, json_option, pass_session, say_json
from tui.cli.studies.beginning import Asked, announce, begin, follow_study, study_options
from tui.cli.studies.verdict import verdict_of
from tui.shell.text import count


@click.command()
@click.argument("one", metavar="MODEL", shell_complete=completion.models)
@click.argument("other", metavar="MODEL", shell_complete=completion.models)
@click.option(
    *("--budget", "trials"),
    type=click.IntRange(1, MOST_TRIALS),
    metavar="N",
    default=TRIALS,
    show_default=True,
    help="Most trials of each model.",
)
@click.option(
    "--seeds",
    type=click.IntRange(FINAL_SEEDS, MOST_DUEL_SEEDS),
    metavar="N",
    default=DUEL_SEEDS,
    show_default=True,
    help="Most fresh seeds of each model.",
)
@study_options
@click.option("--wait", is_flag=True, help="Follow the duel; exit with 1 if it shows nothing.")
@json_option
@pass_session
@click.pass_context
def duel(
    ctx: click.Context,
    session: Session,
    one: str,
    other: str,
    trials: int,
    seeds: int,
    asked: Asked,
    wait: bool,
    as_json: bool,
) -> None:
    """Find out which of two models is better, both tuned alike.
     Begins a study of both in the background, with as many trials each. Then the best settings of
    each are trained with three fresh seeds, and with one more each time until the paired test on
    NDCG@10/test decides, or further seeds would hardly decide. All looks together claim a
    difference where there is none in 5 % of cases at most. Prints the study's name, with which
    `seqbench studies show` tells the verdict.
    """
    if asked.dataset is None:
        raise UsageError("--dataset is needed.")
    study = begin(
        session, asked, asked.dataset, (one, other), trials=trials, final_seeds=FINAL_SEEDS,
        duel=seeds,
    )  # fmt: skip
    begun = (
        f"Duel {study.name}: {count(trials, 'trial')} of each model, then {FINAL_SEEDS} to "
        f"{seeds} seeds; `seqbench studies show {study.name}` tells how it stands."
    )
    announce(session, study, begun, as_json=as_json, wait=wait)
    if wait:
        _wait(ctx, session, study.name, as_json)


def _wait(ctx: click.Context, session: Session, study: str, as_json: bool) -> None:
    found = follow_study(ctx, session, study)
    with session.reader() as connection:
        verdict = verdict_of(connection, session.location, found)
    if as_json:
        say_json(found.as_json() | verdict.content)
    else:
        verdict.say()
    if not verdict.shows:
        ctx.exit(1)
