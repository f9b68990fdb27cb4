"""How an attempt whose process is gone is recorded, and whether its run is queued again."""

from __future__ import annotations

from engine.journal import CROWDED
from engine.rungs import PAUSED
from engine.store import transitions
from engine.store.database import StoreConnection
from engine.store.transitions import LiveAttempt
from engine.supervisor.launcher import Ending


def settle(
    connection: StoreConnection, attempt: LiveAttempt, ending: Ending, retries: int
) -> tuple[str, str]:
    """Record how an attempt ended whose process is gone, and queue another if one is due (inside a
    write transaction).

    Args:
        ending: that of the attempt if its journal doesn't say.
        retries: how often a run is queued again whose processes came to nothing.

    Returns:
        The attempt's status and cause.
    """
    run, number = attempt.run, attempt.attempt
    ending = _blamed(connection, attempt, ending)
    transitions.mark_exited(connection, run, number)
    status, cause = transitions.attempt_end(connection, run, number)
    if transitions.run_state(connection, run) == ("running", number):
        if status != "preempted" or ending.status == "cancelled":
            status, cause = ending.status, ending.cause
        if status == "preempted" and cause == PAUSED:
            transitions.hold_trial(connection, run)
        elif status == "preempted":
            counts = ending.counts and cause != CROWDED
            _requeue_preempted(connection, run, number, retries, counts=counts)
        else:
            transitions.end_attempt(connection, run, number, status, cause, ending.message)
    if status == "lost" or cause in ("disk-full", "killed"):
        _retry(connection, attempt, status, cause, retries)
    return status, cause


def _blamed(connection: StoreConnection, attempt: LiveAttempt, ending: Ending) -> Ending:
    """Return an attempt's ending with the cause that its loss isn't its own, if its process trained
    other runs, too."""
    if attempt.worker is None or ending.cause not in transitions.VANISHED:
        return ending
    others = transitions.lost_with(connection, attempt.run, attempt.attempt)
    if not others:
        return ending
    runs = "another run" if others == 1 else f"{others} other runs"
    message = f"{ending.message} It trained {runs} too."
    return Ending("lost", transitions.SHARED, message)


def _requeue_preempted(
    connection: StoreConnection, run: str, number: int, retries: int, *, counts: bool
) -> None:
    """Queue a run again that was stopped from outside, without limit if its attempt wrote a
    checkpoint or doesn't count, else as often as the settings allow."""
    if not counts or transitions.came_further(connection, run, number):
        transitions.requeue(connection, run, counts=False)
    elif transitions.losses(connection, run) < retries:
        transitions.requeue(connection, run, counts=True)
    else:
        message = (
            f"It was stopped from outside {retries + 1} times before a "
            "checkpoint was written: it needs longer at a time."
        )
        transitions.end_attempt(connection, run, number, "failed", "no-progress", message)


def _retry(
    connection: StoreConnection, attempt: LiveAttempt, status: str, cause: str, retries: int
) -> None:
    """Queue a run again whose process vanished, as often as the settings allow; without limit if
    the process trained other runs, too, beside which a run is lost a few times only."""
    run = attempt.run
    if transitions.run_state(connection, run) != (status, attempt.attempt):
        return
    if cause == transitions.SHARED:
        transitions.requeue(connection, run, counts=False)
    elif transitions.losses(connection, run) < retries:
        transitions.requeue(connection, run, counts=True)
