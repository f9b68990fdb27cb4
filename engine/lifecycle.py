"""The states of a run and what may be done in each: one table for whoever offers it, and for the
supervisor, which has the last word."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

Move = Literal["first", "up", "down", "last"]
"""Where to in the queue: to its front, past one neighbor, to its end."""
Action = Literal["cancel", "retry", "delete", Move]
"""What can be asked of the supervisor for a run."""
QueueAction = Literal["pause", "resume"]
"""What can be asked of it for the whole queue, at any time."""

MOVES: frozenset[str] = frozenset(get_args(Move))


@dataclass(frozen=True, slots=True)
class State:
    """One state of a run.

    Attributes:
        allows: what may be done.
        waits: it has a place in the queue.
        ended: nothing more happens by itself.
        present: a launch of what is missing leaves such a run's settings out.
        died: it ended by a fault.
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
    State("done", frozenset({"delete"}), ended=True, present=True),
    State("failed", _RETRIED, ended=True, died=True),
    State("cancelled", _RETRIED, ended=True),
    State("lost", _RETRIED, ended=True, died=True),
    State("paused", frozenset({"cancel", "delete"}) | MOVES, waits=True),
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
    """Whether an action may be done with a run in a state; nothing with one that isn't known."""
    known = _BY_NAME.get(state or "")
    return known is not None and action in known.allows


def allowing(action: Action) -> tuple[str, ...]:
    """The states in which an action may be done."""
    return tuple(state.name for state in _TABLE if action in state.allows)


def sql(states: Iterable[str]) -> str:
    """States as a list in SQL: ``('queued', 'paused')``."""
    quoted = ", ".join(f"'{state}'" for state in states)
    return f"({quoted})"
