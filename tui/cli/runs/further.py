"""``seqbench continue`` and ``seqbench refit``: new runs that train others further, past the limit
of epochs or with validation included."""

from __future__ import annotations

import click

from engine.planning import enqueue_further, enqueue_refits
from engine.store.queries import list_runs, resolve_run
from tui.cli import completion
from tui.cli.runs.following import exit_with, wait_for, wait_option
from tui.cli.runs.queue import tell_other_copies
from tui.cli.session import Session, filter_option, note, pass_session, say


@click.command(name="continue")
@click.argument(
    "names", metavar="RUN...", nargs=-1, required=True, shell_complete=completion.runs()
)
@click.option(
    "--epochs",
    type=click.IntRange(min=1),
    metavar="N",
    required=True,
    help="The new limit, from the start of training.",
)
@wait_option
@pass_session
def continue_(session: Session, names: tuple[str, ...], epochs: int, wait: bool) -> None:
    """Train runs past their epoch limit.
     For each one, a new run is queued that resumes from its checkpoint and gives the same results
    as a run with the higher limit from the start. The old one stays as it is. RUN is an id, or
    enough of its beginning or end to be unique.
    """
    with session.reader() as connection:
        runs = {run.id: run for run in (resolve_run(connection, name) for name in names)}
        tell_other_copies(connection, runs.values())
    new = enqueue_further(session.location, session.catalogue, list(runs), epochs)
    for run in new:
        say(run)
    with session.reader():
        note(f"{len(runs)} queued, up to epoch {epochs}; the runs they continue stay as they are.")
    if wait:
        exit_with(wait_for(session, new), new)


@click.command()
@click.argument("names", metavar="[RUN...]", nargs=-1, shell_complete=completion.runs())
@filter_option
@wait_option
@pass_session
def refit(session: Session, names: tuple[str, ...], filter_: str, wait: bool) -> None:
    """Train runs again with validation included.
     For each one, a new run is queued that trains on training and validation for as many epochs as
    the chosen one of the old run, which stays as it is (a fitted model with the chosen settings).
    RUN is an id, or enough of its beginning or end to be unique; with --filter it is every run that
    is done and matches, but refits, imported runs and those that have a refit.
    """
    if bool(names) == bool(filter_):
        raise click.UsageError("Name runs, or choose them by --filter.")
    with session.reader() as connection:
        found = (
            list_runs(connection, ["done"], None, filter_)
            if filter_
            else [resolve_run(connection, name) for name in names]
        )
        runs = {run.id: run for run in found if not (filter_ and run.origin)}
        tell_other_copies(connection, runs.values())
    new = enqueue_refits(session.location, session.catalogue, list(runs), skip=bool(filter_))
    for run in new:
        say(run)
    with session.reader():
        note(f"{len(new)} queued; the runs that they refit stay as they are.")
    if wait:
        exit_with(wait_for(session, new), new)
