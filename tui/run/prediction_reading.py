"""Reading what a run predicts, in a thread: a process of its own loads the model."""

from __future__ import annotations

from engine import predictions
from engine.predictions import Item, Predictions, UserPrediction
from engine.runfolder import run_folder
from engine.store.location import StoreLocation

__all__ = ["Item", "Predictions", "UserPrediction", "read_predictions"]

AT_ONCE = 20
"""Tested users that are predicted together: starting a process for it takes seconds."""


def read_predictions(
    location: StoreLocation, run_id: str, user: str | None, place: int
) -> tuple[int | None, Predictions]:
    """Read the prediction for a user by id, or those for the tested users around a place.

    Returns:
        The place of the first among the tested users (none for a user by id), and what was found.

    Raises:
        RunError: no run can have that id.
        DataError: the run can't predict, or there is no such user; in words.
    """
    folder = run_folder(location.runs, run_id)
    first = place - place % AT_ONCE
    found = predictions.predictions(folder, user, first=first, count=AT_ONCE)
    return None if user is not None else first, found
