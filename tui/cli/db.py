"""``seqbench db``: the store itself."""

from __future__ import annotations

import click

from tui.cli.doctor.store import store_problems
from tui.cli.session import Session, json_option, note, pass_session, say, say_json
from tui.shell.text import count


@click.group()
def db() -> None:
    """Rebuild and check the store, or say where it is."""


@db.command()
@pass_session
def path(session: Session) -> None:
    """Print where the store is, or would be."""
    say(str(session.location.db))


@db.command()
@pass_session
def rebuild(session: Session) -> None:
    """Make the store anew from the run folders.

    They are the truth: nothing that is in them is lost, and running runs go on.
    """
    from engine.store.intake.rebuild import rebuild as make_anew  # pydantic

    runs = make_anew(session.location)
    with session.reader():
        note(f"{session.location.db} made anew from {count(runs, 'run folder')}.")


@db.command()
@json_option
@pass_session
@click.pass_context
def check(ctx: click.Context, session: Session, as_json: bool) -> None:
    """Check the store, and that it has every run folder."""
    problems = store_problems(session)
    if as_json:
        say_json({"db": str(session.location.db), "problems": problems})
    else:
        for problem in problems:
            say(problem)
        if not problems:
            say(f"{session.location.db} is sound.")
    if problems:
        ctx.exit(1)
