"""Runs as they go, one line an event, for who waits in a terminal or reads a log."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import click

from engine.evaluated import ceiling_of, evaluated_of
from engine.fitted import combination_text
from engine.lifecycle import UNDER_WAY
from engine.store.database import StoreConnection, is_current
from engine.store.queries import Run, data_version, get_run, list_runs, queue_hold
from engine.store.series import epochs, events
from engine.store.studies import has_open_study, runs_of_study
from tui.cli.session import Session, note, paused
from tui.shell.text import count, duration, number

POLL_SECONDS = 0.25
LOOK_AFTER_SECONDS = 5.0


wait_option = click.option(
    "--wait", is_flag=True, help="Follow the runs; exit with 1 if one isn't done."
)


def wait_for(session: Session, run_ids: Sequence[str]) -> list[Run]:
    """Follow runs on stderr until they have ended, and return them as they ended, without those
    that were deleted, which is said; on Ctrl+C say that they continue, and exit with 130."""
    try:
        ended = follow(session, run_ids, note)
        for run in sorted(set(run_ids) - {run.id for run in ended}):
            note(f"{run} was deleted.")
        return ended
    except KeyboardInterrupt:
        note(
            "The runs continue in the background: `seqbench watch` follows them, `seqbench "
            "cancel` stops them."
        )
        raise click.exceptions.Exit(130) from None


def exit_with(ended: Sequence[Run], run_ids: Sequence[str]) -> None:
    """Exit with 1 if one of the runs that `wait_for` was given isn't done."""
    if len(ended) < len(run_ids) or any(run.state != "done" for run in ended):
        raise click.exceptions.Exit(1)


@contextmanager
def kept_open(session: Session) -> Iterator[Callable[[], StoreConnection]]:
    """Yield what returns the store, open for reading: another connection once it was rebuilt. Who
    asks again and again also sees to it that the queue is worked on."""
    with ExitStack() as opened:
        connection: StoreConnection | None = None
        looked = 0.0

        def current() -> StoreConnection:
            nonlocal connection, looked
            now = time.monotonic()
            if connection is None or not is_current(connection):
                opened.close()
                connection, looked = opened.enter_context(session.reader()), now
            elif now - looked >= LOOK_AFTER_SECONDS:
                session.look_after_queue(connection)
                looked = now
            return connection

        yield current


@dataclass
class _Seen:
    """What was said of one run."""

    state: str
    epoch: int
    event: tuple[int, int]


def follow(
    session: Session,
    run_ids: Sequence[str] | None,
    say: Callable[[str], None],
    show: Callable[[Sequence[Run]], None] = lambda _: None,
    study: str | None = None,
) -> list[Run]:
    """Say what happens, and ``show`` the runs whenever the store changed.

    Goes on until the runs have ended, or the queue is empty where none are named, or it is paused
    and none of them runs.

    Args:
        study: follow its trials and the runs of what it chose, in place of named runs, until it is
            over.

    Survives a rebuilt store and a killed supervisor. Returns the runs as they ended.
    """
    seen: dict[str, _Seen] = {}
    runs: list[Run] = []
    with kept_open(session) as current:
        read: tuple[StoreConnection, int] | None = None
        while True:
            connection = current()
            if (newest := (connection, data_version(connection))) != read:
                read = newest
                wanted = run_ids if study is None else runs_of_study(connection, study)
                runs = _runs(connection, wanted, seen)
                for run in runs:
                    for line in _news(connection, run, seen):
                        say(f"{time.strftime('%H:%M:%S')}  {run.id}  {line}")
                show(runs)
                held = queue_hold(connection)
                if held is not None and not any(run.state == "running" for run in runs):
                    say(paused(held))
                    return runs
            if not any(run.state in UNDER_WAY for run in runs) and not (
                run_ids is None and has_open_study(connection, study)
            ):
                return runs
            time.sleep(POLL_SECONDS)


def _runs(
    connection: sqlite3.Connection, run_ids: Sequence[str] | None, seen: dict[str, _Seen]
) -> list[Run]:
    if run_ids is None:
        going_on = list_runs(connection, UNDER_WAY)[::-1]
        known = {run.id for run in going_on}
        before = [get_run(connection, run_id) for run_id in seen if run_id not in known]
        return [*(run for run in before if run is not None), *going_on]
    found = [get_run(connection, run_id) for run_id in run_ids]
    return [run for run in found if run is not None]


def _news(connection: sqlite3.Connection, run: Run, seen: dict[str, _Seen]) -> Iterator[str]:
    """What of a run wasn't said yet. Of one met in the middle, only what comes from now on."""
    before = seen.get(run.id)
    if before is None:
        newest = max(
            ((event["attempt"], event["seq"]) for event in events(connection, run.id)),
            default=(0, -1),
        )
        seen[run.id] = _Seen(run.state, run.epoch or 0, newest)
        yield _standing(connection, run)
        return
    if before.state == run.state and run.state != "running":
        return
    for event in events(connection, run.id):
        if (event["attempt"], event["seq"]) > before.event:
            before.event = (event["attempt"], event["seq"])
            if line := _event(event):
                yield line
    if (run.epoch or 0) > before.epoch:
        for row in epochs(connection, run.id):
            if row["epoch"] > before.epoch:
                before.epoch = row["epoch"]
                yield _epoch(run, row)
    if run.state != before.state:
        before.state = run.state
        if run.state != "running":
            yield _standing(connection, run)


def _event(event: dict[str, Any]) -> str | None:
    match event["kind"]:
        case "start":
            attempt, epoch = event["attempt"], event.get("resumed_epoch")
            again = f", attempt {attempt} from epoch {epoch}" if attempt > 1 else ""
            on_cpu = event.get("device_kind") == "cpu" and "threads" in event
            cores = f", {count(event['threads'], 'thread')}" if on_cpu else ""
            return f"running on {event.get('device')}{cores}{again}"
        case "warning":
            return f"warning: {event.get('message')}"
    return None


def _epoch(run: Run, row: dict[str, Any]) -> str:
    eta = f"  ETA {duration(run.eta_seconds)}" if run.eta_seconds is not None else ""
    if (settings := row["settings"]) is not None:
        tried = f"  {combination_text(settings)}" if settings else ""
        return f"combination {row['epoch']} of {run.epochs}{tried}{_on_validation(row)}{eta}"
    return (
        f"epoch {row['epoch']}/{run.epochs}  loss {number(row['loss'])}{_on_validation(row)}{eta}"
    )


def _on_validation(row: dict[str, Any]) -> str:
    """Write an epoch's metric on validation, which a refit has none of."""
    metric = row["valid_ndcg"]
    return f"  valid NDCG@10 {number(metric)}" if metric is not None else ""


def _standing(connection: sqlite3.Connection, run: Run) -> str:
    """The state that a run is in, with its result or what went wrong."""
    if run.state == "done":
        best = [row for row in epochs(connection, run.id) if row["epoch"] == run.best_epoch]
        split = "valid" if run.study else "test"
        figure = number(best[0][f"{split}_ndcg"]) if best else "–"
        took = duration(run.finished - run.started) if run.finished and run.started else "–"
        starts = [event for event in events(connection, run.id) if event["kind"] == "start"]
        start = starts[-1] if starts else {}
        ceiling = None if run.study else ceiling_of(start)
        evaluated = evaluated_of(start)
        facts = "; ".join(each.words for each in (evaluated, ceiling) if each and each.words)
        beside = f" ({facts})" if facts else ""
        at = f"{'with combination' if run.fitted else 'at epoch'} {run.best_epoch}"
        return f"done: {split} NDCG@10 {figure}{beside} {at}, {took}"
    if run.state == "running":
        if run.fitted:
            return f"running: combination {run.epoch or 0} of {run.epochs}"
        return f"running: epoch {run.epoch or 0}/{run.epochs}"
    why = run.message or run.cause
    return f"{run.state}: {why}" if why and run.state not in UNDER_WAY else run.state
