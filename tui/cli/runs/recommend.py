"""``seqbench recommend``: what a run's model recommends to a user, in titles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

import click

from engine.asking.predictions import Item, Recommendation, UserPrediction, predictions
from engine.runfolder import run_folder
from engine.store.queries import resolve_run
from tui.cli import completion
from tui.cli.progress import progress
from tui.cli.session import Session, json_option, pass_session, say, say_json, say_table
from tui.shell.text import count


@click.command()
@click.argument("name", metavar="RUN", shell_complete=completion.runs())
@click.option("--user", required=True, metavar="U", help="A user's id in the data set's source.")
@click.option(
    "--top",
    type=click.IntRange(1, 1000),
    metavar="N",
    default=10,
    show_default=True,
    help="Items.",
)
@click.option(
    "--history",
    type=click.IntRange(0),
    metavar="N",
    help="Last items to show.  [default: 10; --json: all]",
)
@click.option("--mask-seen", is_flag=True, help="Leave out items the user has already had.")
@json_option
@pass_session
def recommend(
    session: Session,
    name: str,
    user: str,
    top: int,
    history: int | None,
    mask_seen: bool,
    as_json: bool,
) -> None:
    """Show a run's recommendations for a user, with the held-out item.
    RUN is an id, or enough of its beginning or end to be unique.
    """
    with session.reader() as connection:
        run = resolve_run(connection, name).id
    folder = run_folder(session.location.runs, run)
    session.keep_models()
    with progress("Loading the model"):
        found = predictions(folder, user, top=top, mask_seen=mask_seen).users[0]
    shown = len(found.history) if as_json else 10
    found = replace(found, history=_last(found.history, shown if history is None else history))
    if as_json:
        say_json({"run": run, **asdict(found)})
    else:
        _say(found)


def _last(items: Sequence[Item], number: int) -> Sequence[Item]:
    return items[-number:] if number else []


def _say(found: UserPrediction) -> None:
    shown = found.history
    say(f"User {found.user}: the last {count(len(shown), 'item')}, oldest first")
    say_table(["", "ITEM", "TITLE"], [["", each.id, each.title] for each in shown])
    if found.true is None:
        say("This user isn't in the test split, so the next item isn't known.")
    else:
        say(
            f"Held-out next item: {_named(found.true)}, at rank {found.rank:,} of all items, "
            f"{found.rank_masked:,} with seen items masked"
        )
    rows = [
        [place, each.id, f"{each.score:.3f}", each.title, _remark(each)]
        for place, each in enumerate(found.top, 1)
    ]
    say_table(["RANK", "ITEM", "SCORE", "TITLE", ""], rows, right="RANK SCORE")


def _named(item: Item) -> str:
    return f"{item.id} {item.title}".strip()


def _remark(item: Recommendation) -> str:
    return "the held-out item" if item.true else "seen before" if item.seen else ""
