"""The states of a run, and the actions allowed in each: for what the app and the commands offer,
and for what the supervisor does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple, get_args

Move = Literal["first", "up", "down", "last"]
"""Moves in the queue: to its front, past one neighbor, to its end."""
Action = Literal["cancel", "retry", "delete", Move]
"""Requests to the supervisor on a run."""
REFIT = "refit"
"""What a run allows besides those: a new run that trains it again with validation included."""
QueueAction = Literal["pause", "resume"]
"""Requests to the supervisor on the whole queue, allowed at any time."""

MOVES: frozenset[str] = frozenset(get_args(Move))


class State(NamedTuple):
    """One state of a run.

    Attributes:
        allows: the actions allowed.
        waits: whether the run has a place in the queue.
        ended: whether nothing more happens by itself.
        present: whether a launch of what is missing skips the run's settings.
        died: whether the run ended by a fault.
    """

    name: str
    allows: frozenset[str]
    waits: bool = False
    ended: bool = False
    present: bool = False
    died: bool = False


_RETRIED = frozenset({"retry", "delete"})

_TABLE = (
    State("queued", frozenset({"cancel", "delete"}) | MOVES, waits=True, present=True),
    State("running", frozenset({"cancel"}), present=True),
    State("done", frozenset({"delete", REFIT}), ended=True, present=True),
    State("failed", _RETRIED, ended=True, died=True),
    State("cancelled", _RETRIED, ended=True),
    State("lost", _RETRIED, ended=True, died=True),
)
_BY_NAME = {state.name: state for state in _TABLE}

STATES = tuple(_BY_NAME)
WAITING = tuple(state.name for state in _TABLE if state.waits)
ENDED = tuple(state.name for state in _TABLE if state.ended)
UNFINISHED = tuple(state.name for state in _TABLE if not state.ended)
PRESENT = tuple(state.name for state in _TABLE if state.present)
DIED = tuple(state.name for state in _TABLE if state.died)
UNDER_WAY = tuple(state.name for state in _TABLE if state.present and not state.ended)
"""States that a supervisor works on."""


def allows(state: str | None, action: str) -> bool:
    """Return whether an action is allowed in a state.

    Args:
        state: ``None`` for a run that doesn't exist, of which nothing is allowed. A run in a state
            that this version doesn't know, such as ``paused`` of earlier ones, may be queued again
            or deleted.
    """
    known = _BY_NAME.get(state) if state else None
    allowed = known.allows if known else _RETRIED if state else ()
    return action in allowed


def allowing(action: Action) -> tuple[str, ...]:
    """Return the states in which an action is allowed."""
    return tuple(state.name for state in _TABLE if action in state.allows)


def sql(states: Iterable[str]) -> str:
    """Write states, or causes, as a list in SQL: ``('failed', 'lost')``."""
    quoted = ", ".join(f"'{state}'" for state in states)
    return f"({quoted})"
