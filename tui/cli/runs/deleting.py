"""``seqbench delete`` and ``seqbench undelete``: runs into the trash, and out of it."""

from __future__ import annotations

import click

from engine.store.intake.trash import KEPT_DAYS, bring_back, deleted_runs, find_deleted
from engine.store.requests import request_delete
from tui.cli import completion
from tui.cli.progress import progress
from tui.cli.runs.queue import request_of_runs, runs_that_allow
from tui.cli.session import Session, json_option, note, pass_session, say, say_json, say_table
from tui.shell.text import ago, bytes_, count, plain


@click.command()
@click.argument(
    "names", metavar="RUN...", nargs=-1, required=True, shell_complete=completion.runs("delete")
)
@pass_session
def delete(session: Session, names: tuple[str, ...]) -> None:
    """Delete runs: they go to the trash.
     RUN is an id, or enough of its beginning or end to be unique. `seqbench undelete` brings them
    back for 30 days.
    """
    with session.reader() as connection:
        runs = runs_that_allow(connection, names, "delete", "is {state}: cancel it first")
    request_of_runs(session, runs, request_delete)
    note(f"`seqbench undelete` brings deleted runs back for {KEPT_DAYS} days.")


@click.command()
@click.argument("names", metavar="[RUN...]", nargs=-1, shell_complete=completion.deleted_runs)
@click.option("--list", "listed", is_flag=True, help="List the trash (the default without a RUN).")
@json_option
@pass_session
def undelete(session: Session, names: tuple[str, ...], listed: bool, as_json: bool) -> None:
    """Bring deleted runs back, or list them.
     A run comes back under its id, with its metrics, note and tags; a queued run goes back to the
    queue. RUN is an id, or enough of its beginning or end to be unique in the trash.
    """
    if names and (listed or as_json):
        raise click.UsageError("Name runs to bring back, or list the trash.")
    if not names:
        _list(session, as_json)
        return
    wanted = [find_deleted(session.location, name) for name in names]
    with progress("Bringing runs back"):
        done = bring_back(session.location, wanted)
    if done.runs:
        with session.reader():  # of which some may wait
            for run in done.runs:
                say(run)
    for sentence in (*done.notes, *done.problems):
        note(sentence)
    if done.problems:
        click.get_current_context().exit(1)


def _list(session: Session, as_json: bool) -> None:
    with progress("Reading the trash"):
        found = deleted_runs(session.location)
    if as_json:
        rows = [
            {
                "run": each.run,
                "deleted": each.when,
                "bytes": each.bytes,
                "state": each.facts.state,
                "note": each.facts.note,
            }
            for each in found
        ]
        say_json(rows)
    elif not found:
        note("The trash is empty.")
    else:
        say_table(
            ["RUN", "STATE", "DELETED", "SIZE", "NOTE"],
            [
                [
                    each.run,
                    each.facts.state,
                    ago(each.when),
                    bytes_(each.bytes),
                    plain(each.facts.note, 60),
                ]
                for each in found
            ],
            right="SIZE",
        )
        note(f"{count(len(found), 'deleted run')}: `seqbench undelete RUN` brings one back.")
