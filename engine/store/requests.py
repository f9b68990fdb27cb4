"""What the app and the commands write: new runs, notes, tags, requests to the supervisor.

A request lies in the table ``requests`` until a supervisor has done it, so callers see to it that
one runs (`engine.supervisor.start.ensure_supervisor`).
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Container, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from engine.errors import UsageError, did_you_mean
from engine.lifecycle import PRESENT, Action, Move, QueueAction
from engine.lifecycle import sql as states_sql
from engine.store.connect import connect_writer
from engine.store.database import StoreConnection, StoreReplacedError, insert, write
from engine.store.location import StoreLocation
from engine.store.tags import MOST as MOST_TAGS
from engine.store.tags import check_tags, parse_tags, tags_text

if TYPE_CHECKING:
    from engine.spec import RunSpec

MAX_NOTE = 10_000
_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"

Result = TypeVar("Result")


class NewRun(Protocol):
    """A run to be queued, and what follows from its configuration."""

    @property
    def spec(self) -> RunSpec: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def parameters(self) -> int: ...


@dataclass(frozen=True, slots=True)
class _New:
    spec: RunSpec
    fingerprint: str
    parameters: int


def enqueue(
    location: StoreLocation,
    specs: Sequence[RunSpec],
    suite: str | None = None,
    launcher: str | None = None,
    *,
    wait: bool = True,
) -> list[str]:
    """Put runs that no plan was made of at the end of the queue: as `enqueue_planned`.

    Args:
        wait: count parameters that aren't known, which takes a process; else their worker does.
    """
    # pydantic, which a cancel needn't import
    from engine.modelinfo import NotKnownError
    from engine.spec import parameter_count

    def counted(spec: RunSpec) -> int:
        try:
            return parameter_count(spec, wait=wait)
        except NotKnownError:
            return 0

    runs = [_New(spec, spec.fingerprint(), counted(spec)) for spec in specs]
    return enqueue_planned(location, runs, suite, launcher)


def enqueue_planned(
    location: StoreLocation,
    runs: Sequence[NewRun],
    suite: str | None = None,
    launcher: str | None = None,
    *,
    again: bool = True,
) -> list[str]:
    """Put runs at the end of the queue, all or none, and return their ids.

    Args:
        runs: a refit that doesn't name the run that it refits is given its id: that of one of
            these, or of one in the store.
        launcher: where they go; ``None`` is the supervisor's machine.
        again: also those that are queued, running or done by now, as by a command that planned the
            same at the same time.

    Raises:
        UsageError: there is no run that a refit could be of, or a trial is there already.
        StoreError: the store can't be written.
    """
    # pydantic, which a cancel needn't import
    from engine.store.settings import keep_settings, told_by

    now = time.time()
    # Before the transaction, which keeps the supervisor waiting.
    prepared = [
        (run, run.spec.settings(), run.spec.model_dump(mode="json"), _first_of(run.spec))
        for run in runs
    ]

    def queue(connection: StoreConnection) -> list[str]:
        new = [
            each
            for each in prepared
            if again or _newest_present(connection, each[0].fingerprint) is None
        ]
        last = connection.rows("SELECT coalesce(max(position), 0) FROM runs")[0][0]
        ids: dict[str, None] = {}
        for run, *_ in new:
            ids[new_id(connection, location, run.spec, ids)] = None
        for run, *_ in new:
            _refuse_twice(connection, run.spec)
        own = {run.fingerprint: run_id for (run, *_), run_id in zip(new, ids, strict=True)}
        texts, specs = [], []
        for run, _, _, first in new:
            found = run.spec
            if first is not None:
                before = own.get(first) or _present(connection, first)
                found = found.model_copy(update={"refits": before})
            specs.append(found)
            texts.append(found.model_dump_json())
        configurations = keep_settings(connection, [content for _, _, content, _ in new])
        rows = [
            {
                "id": run_id,
                "model": run.spec.model,
                "dataset": run.spec.dataset,
                "length": run.spec.length,
                "seed": run.spec.seed,
                "profile": run.spec.recipe,
                "suite": suite,
                "fingerprint": run.fingerprint,
                "state": "queued",
                "position": position,
                "created": now,
                **told_by(spec),
                "parameters": run.parameters,
                "settings": digest,
                "configuration": configuration,
                "launcher": launcher,
            }
            for position, (run_id, (run, digest, *_), spec, configuration) in enumerate(
                zip(ids, new, specs, configurations, strict=True), last + 1
            )
        ]
        insert(connection, "runs", rows)
        insert(
            connection,
            "specs",
            [{"run": run, "spec": text} for run, text in zip(ids, texts, strict=True)],
        )
        insert(connection, "summaries", [{"run": run} for run in ids])
        return list(ids)

    return transact(location, queue)


def _refuse_twice(connection: StoreConnection, spec: RunSpec) -> None:
    """Raise `UsageError` if a run is a trial that its study has already."""
    if spec.trial is None:
        return
    study, number = spec.trial.study.name, spec.trial.number
    sql = "SELECT 1 FROM runs WHERE study = ? AND trial = ?"
    if connection.row(sql, (study, number)) is not None:
        raise UsageError(f"There is a study {study} already, with a trial {number}.")


def _first_of(spec: RunSpec) -> str | None:
    """Return the fingerprint of the run that a refit is of, unless it names that or is none."""
    return spec.first.fingerprint() if spec.training.refit and not spec.refits else None


def _present(connection: StoreConnection, fingerprint: str) -> str:
    """Find the run that a refit is of. Raises `UsageError` if there is none."""
    found = _newest_present(connection, fingerprint)
    if found is None:
        raise UsageError("A refit needs the run with the same settings before it: queue both.")
    return found


def _newest_present(connection: StoreConnection, fingerprint: str) -> str | None:
    """Find the run with a fingerprint whose chosen epoch is or will be known: the newest that is
    done, or else the newest under way."""
    row = connection.row(
        f"SELECT id FROM runs WHERE fingerprint = ? AND state IN {states_sql(PRESENT)}"  # noqa: S608
        " ORDER BY state = 'done' DESC, created DESC, id DESC LIMIT 1",
        (fingerprint,),
    )
    return None if row is None else str(row[0])


def request_cancel(location: StoreLocation, run_ids: Iterable[str]) -> None:
    """Ask for waiting runs to leave the queue and running ones to stop; other runs stay."""
    _request(location, "cancel", run_ids)


def request_retry(location: StoreLocation, run_ids: Iterable[str]) -> None:
    """Ask for failed, cancelled or lost runs to be queued again; others are left alone."""
    _request(location, "retry", run_ids)


def request_move(location: StoreLocation, run_ids: Iterable[str], where: Move) -> None:
    """Ask for waiting runs, given in the order of the queue, to change places; they keep their
    order among themselves. Others are left alone."""
    ids = list(run_ids)
    # One after the other: the last to pass a neighbor, or to go to the front, ends before the rest.
    _request(location, where, ids[::-1] if where in ("first", "down") else ids)


def request_delete(location: StoreLocation, run_ids: Iterable[str]) -> None:
    """Ask for runs that don't run to go to the trash (`engine.store.intake.trash`), with their
    folders; others are left alone."""
    _request(location, "delete", run_ids)


def request_queue(location: StoreLocation, action: QueueAction) -> None:
    """Ask for the queue to be paused, or to be resumed."""
    row = {"action": action, "run": "", "created": time.time()}
    transact(location, lambda connection: insert(connection, "requests", [row]))


def set_note(location: StoreLocation, run_id: str, note: str) -> None:
    """Replace a run's note. Raises `UsageError` if there is no such run or it is too long."""
    if len(note) > MAX_NOTE:
        raise UsageError(f"The note is too long: {MAX_NOTE:,} characters at most.")

    def update(connection: StoreConnection) -> None:
        _check_known(connection, [run_id])
        text = note.encode("utf-8", "replace").decode()
        connection.execute("UPDATE runs SET note = ? WHERE id = ?", (text, run_id))

    transact(location, update)


def change_tags(
    location: StoreLocation, run_ids: Iterable[str], add: Iterable[str], remove: Iterable[str]
) -> None:
    """Give tags to runs, and take others from them.

    Raises:
        UsageError: there is no such run, a word that can't be a tag, or too many of them.
        StoreError: the store can't be written.
    """
    wanted, added, removed = list(dict.fromkeys(run_ids)), check_tags(add), set(remove)

    def update(connection: StoreConnection) -> None:
        _check_known(connection, wanted)
        for run in wanted:
            row = connection.row("SELECT tags FROM runs WHERE id = ?", (run,))
            kept = [tag for tag in parse_tags(row[0] if row else "") if tag not in removed]
            if len(tags := tuple(dict.fromkeys([*kept, *added]))) > MOST_TAGS:
                raise UsageError(
                    f"A run has at most {MOST_TAGS} tags: {run} would have {len(tags)}."
                )
            connection.execute("UPDATE runs SET tags = ? WHERE id = ?", (tags_text(tags), run))

    transact(location, update)


def _request(location: StoreLocation, action: Action, run_ids: Iterable[str]) -> None:
    wanted = list(dict.fromkeys(run_ids))
    now = time.time()

    def request(connection: StoreConnection) -> None:
        _check_known(connection, wanted)
        rows = [{"action": action, "run": run, "created": now} for run in wanted]
        insert(connection, "requests", rows)

    transact(location, request)


def _check_known(connection: StoreConnection, run_ids: Iterable[str]) -> None:
    for run in run_ids:
        if connection.row("SELECT 1 FROM runs WHERE id = ?", (run,)) is None:
            known = [str(row[0]) for row in connection.rows("SELECT id FROM runs LIMIT 10000")]
            raise UsageError(f"There is no run {run!r}: {did_you_mean(run, known)}")


def transact(location: StoreLocation, action: Callable[[StoreConnection], Result]) -> Result:
    """Do ``action`` in one transaction, on the new database if it is rebuilt at this moment."""
    while True:
        with closing(connect_writer(location)) as connection:
            try:
                with write(connection):
                    return action(connection)
            except StoreReplacedError:
                continue


def new_id(
    connection: StoreConnection, location: StoreLocation, spec: RunSpec, others: Container[str]
) -> str:
    """Make an id that no run in the store, no folder and none of ``others`` has."""
    stem = re.sub(r"\.{2,}", ".", f"{spec.model}-{spec.dataset}-l{spec.length}-s{spec.seed}")
    while True:
        run = f"{stem}-{''.join(random.choices(_BASE32, k=5))}"
        known = connection.row("SELECT 1 FROM runs WHERE id = ?", (run,)) is not None
        if not known and run not in others and not location.folder(run).path.exists():
            return run
