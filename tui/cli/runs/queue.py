"""``ls``, ``watch``, ``cancel``, ``retry``, ``move``, ``pause`` and ``resume``: the queue and what
became of it."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import click

from engine.errors import UsageError, UserError, did_you_mean
from engine.lifecycle import STATES, Action, Move, QueueAction, allowing, allows
from engine.order import parse_settings
from engine.store.jobs import JobFacts, live_jobs
from engine.store.location import StoreLocation
from engine.store.queries import Run, list_runs, queue_hold, resolve_run, run_spec
from engine.store.requests import (
    request_cancel,
    request_move,
    request_queue,
    request_retry,
)
from engine.store.tags import parse_tags
from tui.cli import completion
from tui.cli.progress import progress
from tui.cli.runs.following import follow
from tui.cli.runs.moment import LEFT, Moment
from tui.cli.session import (
    Listed,
    Session,
    filter_option,
    flat,
    json_option,
    note,
    pass_session,
    paused,
    say,
    say_json,
    say_table,
    say_while_read,
)
from tui.shell.text import ago, duration, epochs_text, number, plain


@click.command()
@click.option(
    "--state", "states", type=Listed("STATES"), multiple=True, help="Only these: running,done"
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    help="At most this many of the newest.  [default: 50; --json: all]",
)
@click.option(
    "--since",
    type=Moment(),
    metavar="AGO",
    help="Only runs that ended since: 90m, 8h, 3d ago, or `left`: when you left the app.",
)
@filter_option
@json_option
@pass_session
def ls(
    session: Session,
    states: tuple[tuple[str, ...], ...],
    limit: int | None,
    since: float | None,
    filter_: str,
    as_json: bool,
) -> None:
    """List runs, newest first."""
    wanted = flat(states)
    _check_states(wanted)
    runs: list[Run] = []
    held: str | None = None
    jobs: dict[str, JobFacts] = {}
    if session.has_store:
        ask = limit or (None if as_json else 51)
        with session.reader() as connection:
            ended = since_moment(session, since)
            with progress("Reading runs"):
                runs = list_runs(connection, wanted or None, ask, filter_, ended_since=ended)
            held = queue_hold(connection)
            jobs = live_jobs(connection)
    if as_json:
        say_json([{**asdict(run), **_derived(run), **_job(jobs.get(run.id))} for run in runs])
        return
    if not runs:
        note(
            "There are no such runs."
            if wanted or filter_ or since is not None
            else "There are no runs yet: see `seqbench run`."
        )
        return
    _say_runs(runs[: limit or 50], jobs)
    if limit is None and len(runs) > 50:
        note("There are more: --limit N shows N, --json all.")
    if held is not None:
        note(paused(held))


def since_moment(session: Session, since: float | None) -> float | None:
    """Find the moment that ``left`` means for this store; pass others on.

    Raises `UserError` if it isn't known.
    """
    if since != LEFT:
        return since
    from tui.shell.presence import Presence  # Textual

    moment = Presence(session.location).recall()
    if moment is None:
        raise UserError("The app was never left with this store: use `--since 8h`, for instance.")
    return moment


def _say_runs(runs: list[Run], jobs: dict[str, JobFacts]) -> None:
    rows = [
        [
            run.id,
            _state(run, jobs.get(run.id)),
            epochs_text(run) if run.epochs else run.epoch or 0,
            number(run.best_valid_ndcg),
            duration(run.eta_seconds) if run.state == "running" else "",
            ago(run.created),
            plain(_about(run, jobs.get(run.id)), 60),
        ]
        for run in runs
    ]
    say_table(
        ["RUN", "STATE", "EPOCH", "VALID-NDCG", "ETA", "QUEUED", "NOTE"],
        rows,
        right="EPOCH VALID-NDCG",
    )


def _state(run: Run, job: JobFacts | None) -> str:
    """Name the state of a run; one whose job waits for a node doesn't run yet."""
    return "pending" if run.state == "running" and job is not None and job.waits else run.state


def _about(run: Run, job: JobFacts | None) -> str:
    if run.message or job is None or run.state != "running":
        return run.message or run.note
    return job.text


def _job(job: JobFacts | None) -> dict[str, Any]:
    return {"job": None if job is None else asdict(job)}


def _derived(run: Run) -> dict[str, object]:
    tags = parse_tags(run.tags)
    return {"progress": run.progress, "eta_seconds": run.eta_seconds, "tags": tags}


def _check_states(wanted: list[str]) -> None:
    for state in wanted:
        if state not in STATES:
            raise UsageError(f"there is no state {state!r}: {did_you_mean(state, STATES)}")


@click.command()
@click.option("--live", is_flag=True, help="Redraw a few lines on the terminal instead.")
@pass_session
def watch(session: Session, live: bool) -> None:
    """Follow all runs until the queue is empty or ctrl+c.
    Prints one line per event, and needs no terminal."""
    if live and (not sys.stdout.isatty() or os.environ.get("TERM") == "dumb"):
        raise click.UsageError("--live needs a terminal: without it every event is a line.")
    if session.has_store:
        try:
            left = _watch_live(session) if live else _watch(session)
        except KeyboardInterrupt:
            note("The runs continue in the background.")
            return
        if any(run.state == "queued" for run in left):
            return
    note("The queue is empty.")


def _watch(session: Session) -> list[Run]:
    return follow(session, None, say_while_read)


def _watch_live(session: Session) -> list[Run]:
    from tui.cli.runs.watching import live_view  # rich

    with live_view() as (say_event, show):
        return follow(session, None, say_event, show)


@click.command()
@click.argument("names", metavar="RUN...", nargs=-1, shell_complete=completion.runs("cancel"))
@click.option("--all", "everything", is_flag=True, help="All queued or running runs.")
@pass_session
def cancel(session: Session, names: tuple[str, ...], everything: bool) -> None:
    """Stop runs, or remove them from the queue.
     RUN is an id, or enough of its beginning or end to be unique. The last checkpoint is kept:
    `seqbench retry` resumes from there.
    """
    if bool(names) == everything:
        raise click.UsageError("Name the runs to cancel, or give --all.")
    with session.reader() as connection:
        if everything:
            runs = list_runs(connection, allowing("cancel"))
        else:
            runs = runs_that_allow(connection, names, "cancel", "has ended already ({state})")
    request_of_runs(session, runs, request_cancel)
    if not runs:
        note("Nothing is queued or running.")


@click.command()
@click.argument(
    "names", metavar="RUN...", nargs=-1, required=True, shell_complete=completion.runs("retry")
)
@click.option(
    "--set",
    "settings",
    metavar="KEY=VALUE",
    multiple=True,
    shell_complete=completion.settings,
    help="Queue a new run with this override instead.",
)
@pass_session
def retry(session: Session, names: tuple[str, ...], settings: tuple[str, ...]) -> None:
    """Queue failed, cancelled or lost runs again.
     Training resumes from the last checkpoint; with --set a new run starts from the beginning. RUN
    is an id, or enough of its beginning or end to be unique.
    """
    with session.reader() as connection:
        runs = runs_that_allow(
            connection, names, "retry", "is {state}: only runs that ended early can be retried"
        )
        tell_other_copies(connection, runs)
    if not settings:
        session.keep_models()
        request_of_runs(session, runs, request_retry)
        return
    from engine.planning import amendments, enqueue_amended  # pydantic

    catalogue, changed = session.catalogue, parse_settings("\n".join(settings))
    changes = [amendments(catalogue, run.model, run.profile, changed) for run in runs]
    for run, change in zip(runs, changes, strict=True):
        say(enqueue_amended(session.location, catalogue, run.id, change))
    with session.reader():
        note(f"{len(runs)} queued with {' '.join(settings)}; the others stay as they are.")


def tell_other_copies(connection: sqlite3.Connection, runs: Iterable[Run]) -> None:
    """Say of each data set once if the copy here isn't what the runs were launched on."""
    from engine.datasets.confirm import confirm  # pydantic

    sentences: dict[str, None] = {}
    for run in runs:
        with suppress(UserError):  # of another version: the supervisor says so
            found = confirm(run_spec(connection, run.id).source)
            if found is not None and found.confirmed is False:
                sentences[found.sentence] = None
    for sentence in sentences:
        note(sentence)


@click.command()
@click.argument(
    "names", metavar="RUN...", nargs=-1, required=True, shell_complete=completion.runs("first")
)
@click.option("--first", "where", flag_value="first", help="To the front of the queue.")
@click.option("--up", "where", flag_value="up", help="One place up.")
@click.option("--down", "where", flag_value="down", help="One place down.")
@click.option("--last", "where", flag_value="last", help="To the end of the queue.")
@pass_session
def move(session: Session, names: tuple[str, ...], where: Move | None) -> None:
    """Change the order of the queue.
     Several runs keep their relative order. RUN is an id, or enough of its beginning or end to be
    unique.
    """
    if where is None:
        raise click.UsageError("Say where to: --first, --up, --down or --last.")
    with session.reader() as connection:
        runs = runs_that_allow(
            connection, names, where, "is {state}: only queued runs can be moved"
        )
    runs.sort(key=lambda run: (run.position, run.id))
    request_of_runs(session, runs, lambda location, ids: request_move(location, ids, where))


@click.command()
@pass_session
def pause(session: Session) -> None:
    """Start nothing more; running runs continue."""
    _request_queue(session, "pause")


@click.command()
@pass_session
def resume(session: Session) -> None:
    """Resume a paused queue."""
    _request_queue(session, "resume")


def _request_queue(session: Session, action: QueueAction) -> None:
    with session.reader():  # there is a store
        request_queue(session.location, action)
    with session.reader():
        note(
            "Running runs continue; nothing new is started."
            if action == "pause"
            else "The queue continues."
        )


def runs_that_allow(
    connection: sqlite3.Connection, names: tuple[str, ...], action: Action, problem: str
) -> list[Run]:
    """Find the runs; all of them allow the action. Raises `UserError`."""
    runs = list({run.id: run for run in (resolve_run(connection, n) for n in names)}.values())
    for run in runs:
        if not allows(run.state, action):
            raise UserError(f"{run.id} {problem.format(state=run.state)}; nothing was changed.")
    return runs


def request_of_runs(
    session: Session, runs: list[Run], request: Callable[[StoreLocation, list[str]], None]
) -> None:
    """Ask the supervisor for something, and print the runs' ids."""
    if runs:
        request(session.location, [run.id for run in runs])
        with session.reader():
            for run in runs:
                say(run.id)
