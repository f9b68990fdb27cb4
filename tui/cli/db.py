"""``seqbench db``: the store itself."""

from __future__ import annotations

import math

import click

from tui.cli.doctor.store import store_problems
from tui.cli.progress import progress
from tui.cli.session import Session, json_option, note, pass_session, say, say_json
from tui.shell.text import bytes_, count


@click.group()
def db() -> None:
    """Rebuild, check and clean up the store, or say where it is."""


@db.command()
@pass_session
def path(session: Session) -> None:
    """Print where the store is, or would be."""
    say(str(session.location.db))


@db.command()
@pass_session
def rebuild(session: Session) -> None:
    """Rebuild the store from the run folders.
    They are the source of truth: nothing in them is lost, and running runs continue.
    """
    from engine.store.intake.rebuild import rebuild as rebuild_store  # pydantic

    with progress("Reading run folders") as on_progress:
        runs = rebuild_store(session.location, on_progress)
    with session.reader():
        note(f"{session.location.db} rebuilt from {count(runs, 'run folder')}.")


@db.command()
@json_option
@pass_session
@click.pass_context
def check(ctx: click.Context, session: Session, as_json: bool) -> None:
    """Check the store, and that it has every run folder."""
    with progress("Checking the store"):
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


@db.command()
@click.option("--all", "everything", is_flag=True, help="The whole trash, however new.")
@pass_session
def gc(session: Session, everything: bool) -> None:
    """Empty the trash of runs that were deleted over 30 days ago.

    They can't be brought back afterwards. Says how much space that frees.
    """
    from engine.store.intake.trash import deleted_runs, empty, kept_since  # pydantic

    with progress("Emptying the trash"):
        runs, freed = empty(session.location, math.inf if everything else kept_since())
    left = len(deleted_runs(session.location))
    note(
        f"{count(runs, 'deleted run')} permanently removed, {bytes_(freed)} freed"
        + (f"; {left:,} younger than 30 days kept." if left else ".")
    )
