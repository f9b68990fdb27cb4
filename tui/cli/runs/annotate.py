"""``seqbench note`` and ``seqbench tag``: what people write about runs."""

from __future__ import annotations

import click

from engine.store.compare.comparison import runs_by_id
from engine.store.queries import resolve_run
from engine.store.requests import change_tags, set_note
from engine.store.tags import parse_tags
from tui.cli import completion
from tui.cli.session import Listed, Session, flat, pass_session, say
from tui.cli.session import note as tell


@click.command()
@click.argument("name", metavar="RUN", shell_complete=completion.runs())
@click.argument("text", required=False)
@pass_session
def note(session: Session, name: str, text: str | None) -> None:
    """Show a run's note, or write another; "" removes it.
    RUN is an id, or enough of its beginning or end to be unique.
    """
    with session.reader() as connection:
        run = resolve_run(connection, name)
    if text is None:
        if run.note:
            say(run.note)
        else:
            tell(f"{run.id} has no note.")
        return
    set_note(session.location, run.id, text.strip())
    with session.reader():  # a supervisor writes it into the run's folder
        say(run.id)


@click.command()
@click.argument(
    "names", metavar="RUN...", nargs=-1, required=True, shell_complete=completion.runs()
)
@click.option("--add", type=Listed("TAGS"), multiple=True, help="Tags to add: paper,best")
@click.option("--remove", type=Listed("TAGS"), multiple=True, help="Tags to remove.")
@pass_session
def tag(
    session: Session,
    names: tuple[str, ...],
    add: tuple[tuple[str, ...], ...],
    remove: tuple[tuple[str, ...], ...],
) -> None:
    """Show the tags of runs, or change them.
     RUN is an id, or enough of its beginning or end to be unique. `--filter tag:x` finds the runs
    with the tag x.
    """
    with session.reader() as connection:
        runs = list(dict.fromkeys(resolve_run(connection, name).id for name in names))
    if add or remove:
        change_tags(session.location, runs, flat(add), flat(remove))
    with session.reader() as connection:
        tags = dict(runs_by_id(connection, ["id", "tags"], runs))
    for run in runs:
        say("  ".join([run, *parse_tags(tags.get(run))]))
