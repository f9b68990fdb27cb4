"""``seqbench continue``: training on, past the limit of epochs."""

from __future__ import annotations

import click

from engine.planning import enqueue_further
from engine.store.queries import resolve_run
from tui.cli import completion
from tui.cli.runs.queue import tell_other_copies
from tui.cli.session import Session, note, pass_session, say


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
@pass_session
def continue_(session: Session, names: tuple[str, ...], epochs: int) -> None:
    """Train runs past their epoch limit.
     For each one, a new run is queued that resumes from its checkpoint and gives the same results
    as a run with the higher limit from the start. The old one stays as it is. RUN is an id, or
    enough of its beginning or end to be unique.
    """
    with session.reader() as connection:
        runs = {run.id: run for run in (resolve_run(connection, name) for name in names)}
        tell_other_copies(connection, runs.values())
    for run in enqueue_further(session.location, session.catalogue, list(runs), epochs):
        say(run)
    with session.reader():
        note(f"{len(runs)} queued, up to epoch {epochs}; the runs they continue stay as they are.")
