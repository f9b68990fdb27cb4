"""How fast a run trains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def interactions_per_second(
    started: Mapping[str, Any], train_seconds: float | None
) -> float | None:
    """Return the interactions that a run trains on in a second: those of its training split,
    divided by the time in which an epoch goes through them, without evaluation.

    Args:
        started: fields of the journal's ``start``.
        train_seconds: median training time of an epoch; ``None`` before the first has ended.

    Returns:
        ``None`` where either isn't known: runs of before don't record the interactions.
    """
    interactions = started.get("train_interactions")
    if not isinstance(interactions, int) or not train_seconds:
        return None
    return interactions / train_seconds
