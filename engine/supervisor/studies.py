"""Studies go on: their next trials, and in the end what they chose, are put into the queue.

What is known of a study is read from its trials each time, so another supervisor continues it.
"""

from __future__ import annotations

import logging
from collections.abc import Container, Sequence

from engine.errors import RunError, StoreError, UserError
from engine.rungs import promote
from engine.spec import RunSpec
from engine.spec.study import profile_of_study
from engine.store.database import StoreConnection, write
from engine.store.intake.folders import save_folder
from engine.store.location import StoreLocation
from engine.store.requests import enqueue
from engine.store.studies import (
    End,
    Stand,
    end_study,
    is_under_way,
    paused_too_late,
    prune_held,
    release_trial,
    runs_under,
    stand_of,
    studies_at,
    waiting_studies,
)
from engine.tuning.progress import Progress, Promotion, progress_of

log = logging.getLogger("seqbench")


def go_on(
    connection: StoreConnection, location: StoreLocation, launchers: Container[str | None]
) -> set[str]:
    """Queue the next trial of each study of which none is queued or in training, or, if it was the
    last one, what the study chose; return why one has to wait, if any.

    Args:
        launchers: those that are configured.

    Raises:
        StoreError: the store can't be read or written.
    """
    for name in paused_too_late(connection):
        with write(connection):
            prune_held(connection, name)
    waiting: set[str] = set()
    for name, launcher in waiting_studies(connection):
        if launcher not in launchers:  # its trials would fail one after the other
            waiting.add(_waits(name, launcher))
        elif not is_under_way(connection, profile_of_study(name)):
            try:
                why = _next_step(connection, location, name, launchers)
            except _TrialError as error:
                why = str(error)
            waiting |= {why} if why else set()
    return waiting


def supply(
    connection: StoreConnection,
    location: StoreLocation,
    launcher: str | None,
    exhausted: dict[str, Stand],
) -> set[str]:
    """Queue one more trial for a free slot of a launcher, of the study there that has the fewest
    under way; return why a study has to wait, if one has.

    Args:
        exhausted: studies that had no trial to queue as they stood, which aren't read again before
            they stand otherwise; kept by the caller.

    Raises:
        StoreError: the store can't be read or written.
    """
    waiting: set[str] = set()
    for name in studies_at(connection, launcher):
        stand = stand_of(connection, name)
        if exhausted.get(name) == stand:
            continue
        try:
            found = _read(connection, name)
            if found is not None and _further_trial(connection, location, found):
                break
            exhausted[name] = stand
        except _TrialError as error:
            waiting.add(str(error))
    return waiting


class _TrialError(Exception):
    """A paused trial that can't train on; everything else can."""


def _next_step(
    connection: StoreConnection,
    location: StoreLocation,
    name: str,
    launchers: Container[str | None],
) -> str | None:
    """Queue the next trial of a study, or what it chose; return why that has to wait, if it has
    to. Raises `_TrialError`."""
    found = _read(connection, name)
    if found is None or _further_trial(connection, location, found):
        return None
    # Nothing else is left to do.
    if _promote(connection, location, found, found.last_promotion()):
        return None
    return _conclude(connection, location, name, launchers)


def _further_trial(connection: StoreConnection, location: StoreLocation, found: Progress) -> bool:
    """Let a paused trial of a study train on, or queue its next one; return whether there was one.
    Raises `_TrialError`."""
    promotion = None if found.stopped else found.promotion()
    return _promote(connection, location, found, promotion) or _next_trial(
        connection, location, found
    )


def _promote(
    connection: StoreConnection,
    location: StoreLocation,
    found: Progress,
    promotion: Promotion | None,
) -> bool:
    """Let a paused trial of a study train on; return whether there was one to.

    Raises:
        _TrialError: its folder can't be written.
    """
    if promotion is None:
        return False
    name = found.study.name
    # First: what is released may be started at once.
    try:
        # The folder is made anew where it was removed: then the trial begins from its start.
        promote(save_folder(connection, location, promotion.run), promotion.epoch)
    except (OSError, RunError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error).rstrip(".")
        raise _TrialError(f"study {name} waits: {promotion.run} can't train on: {why}.") from None
    with write(connection):
        release_trial(connection, promotion.run)
    log.info("study %s: %s trains on to epoch %d", name, promotion.run, promotion.epoch)
    return True


def _next_trial(connection: StoreConnection, location: StoreLocation, found: Progress) -> bool:
    """Queue the next trial of a study; return whether there was one. A study that can't go on makes
    no further trial."""
    name = found.study.name
    try:
        spec = found.next_trial()
        if spec is None or spec.trial is None:
            return False
        (run,) = enqueue(location, [spec], None, found.trials[0].launcher, wait=False)
    except StoreError:
        raise
    except UserError as error:
        _end(connection, name, "stopped", f"makes no further trial: {error}")
        return False
    log.info("study %s: trial %d is %s", name, spec.trial.number, run)
    return True


def _conclude(
    connection: StoreConnection,
    location: StoreLocation,
    name: str,
    launchers: Container[str | None],
) -> str | None:
    """Queue what a study chose, but for what is there already: a supervisor may have been killed
    before it recorded that the study is over. Return why that has to wait, if it has to."""
    with write(connection):
        prune_held(connection, name)
    found = _read(connection, name)
    if found is None:
        return None
    try:
        if found.study.duel is not None:
            return _go_on_with_duel(connection, location, found, launchers)
        runs = _train(location, found, _lacking(connection, found, found.finals()))
    except StoreError:
        raise
    except UserError as error:
        _end(connection, name, "over", f"can't train what it chose: {error}")
    else:
        _end(connection, name, "over", f"is over: {', '.join(runs) or 'nothing to train'}")
    return None


def _go_on_with_duel(
    connection: StoreConnection,
    location: StoreLocation,
    found: Progress,
    launchers: Container[str | None],
) -> str | None:
    """Queue the seeds that a duel begins with, or one more if it isn't decided by those that there
    are; return why that has to wait, if it has to. Raises `UserError` if they can't be queued."""
    from engine.analysis.duels.stored import duel_of  # numpy, which nothing else needs here
    from engine.analysis.duels.words import verdict

    study, launcher = found.study, found.trials[0].launcher
    if len(found.chosen()) < len(study.models):
        _end(connection, study.name, "over", "is over: of a model no trial is done")
        return None
    specs = _lacking(connection, found, found.finals())
    if not specs:
        duel = duel_of(connection, location, study.name)
        if duel is None or duel.outcome != "going on":
            _end(connection, study.name, "over", f"is over: {duel and verdict(duel)}")
            return None
        # One that failed isn't tried again.
        lacking = (
            _lacking(connection, found, found.finals(seeds))
            for seeds in range(study.final_seeds + 1, duel.most + 1)
        )
        specs = next(filter(None, lacking), [])
    if launcher not in launchers:
        return _waits(study.name, launcher)
    runs = _train(location, found, specs)
    _end(connection, study.name, "stopped", f"compares what it chose: {', '.join(runs)}")
    return None


def _lacking(
    connection: StoreConnection, found: Progress, specs: Sequence[RunSpec]
) -> list[RunSpec]:
    """Return those of the runs of what a study chose that aren't there."""
    there = {fingerprint for _, fingerprint in runs_under(connection, found.study.profile)}
    return [spec for spec in specs if spec.fingerprint() not in there]


def _train(location: StoreLocation, found: Progress, specs: Sequence[RunSpec]) -> list[str]:
    """Queue runs of what a study chose, and return them. Raises `UserError` if they can't be."""
    return enqueue(location, specs, None, found.trials[0].launcher, wait=False)


def _waits(name: str, launcher: str | None) -> str:
    return f"study {name} waits: there is no launcher {launcher!r} any more."


def _read(connection: StoreConnection, name: str) -> Progress | None:
    """Read where a study stands; ``None`` if it can't go on, which is recorded."""
    try:
        return progress_of(connection, name)
    except StoreError:
        raise
    except UserError as error:
        _end(connection, name, "over", f"can't go on: {error}")
        return None


def _end(connection: StoreConnection, name: str, end: End, why: str) -> None:
    with write(connection):
        end_study(connection, name, end)
    log.info("study %s %s", name, why)
