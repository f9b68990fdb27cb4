"""A run's predictions for single users, made in a process of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors import DataError
from engine.limits import process_limits
from engine.machine.environment import background_environment, thread_environment
from engine.runfolder import RunFolder
from engine.store.intake.code import allow_code

RECOMMEND = (sys.executable, "-P", "-m", "engine.worker.recommend")

PREDICT_SECONDS = 300.0
"""Most time to predict; a large data set that isn't prepared is read first."""


@dataclass(frozen=True)
class Item:
    """An item, by its id in the source."""

    id: str
    title: str
    """Empty if the source has none."""


@dataclass(frozen=True)
class Recommendation(Item):
    """An item that a model recommends."""

    score: float
    seen: bool
    """Whether the user's history has it."""
    true: bool
    """Whether it is the user's true next item."""


@dataclass(frozen=True)
class UserPrediction:
    """A run's prediction for one user."""

    user: str
    history: Sequence[Item]
    """The items that the model sees, oldest first."""
    true: Item | None
    """The true next item; ``None`` for a user who isn't tested."""
    rank: int | None
    """The true item's rank among all items, from 1."""
    rank_masked: int | None
    """The true item's rank with seen items masked."""
    top: Sequence[Recommendation]
    """The items of the highest scores, best first."""


@dataclass(frozen=True)
class Predictions:
    """A run's predictions for some users."""

    dataset: str
    tested: int
    """Number of users that the run is tested on."""
    users: Sequence[UserPrediction]


def predictions(
    folder: RunFolder,
    user: str | None = None,
    *,
    first: int = 0,
    count: int = 1,
    top: int = 10,
    mask_seen: bool = False,
) -> Predictions:
    """Predict for one user, or for ``count`` of the tested users from the ``first`` on.

    Args:
        user: the user's id in the source.
        top: the number of items to recommend.
        mask_seen: don't recommend items of the user's history.

    Raises:
        DataError: the run has no weights, the data isn't here or has changed, there is no such
            user, or the process failed.
        StoreError: the run's model is a file that may not run here.
    """
    try:
        allow_code(folder)
    except OSError as error:
        raise DataError(f"{folder.code} can't be written: {error.strerror}.") from None
    command = [*RECOMMEND, str(folder.path.absolute())]
    command += [f"--user={user}"] if user is not None else [f"--first={first}", f"--count={count}"]
    command += [f"--top={top}", *(["--mask-seen"] if mask_seen else [])]
    environment = {**background_environment(), **thread_environment(process_limits().cores)}
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=environment,
            cwd=os.sep,
            check=False,
            timeout=PREDICT_SECONDS,
        )
        answer = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        raise DataError("Predicting took too long: is the machine busy?") from None
    except (OSError, ValueError):
        raise DataError("Predicting was interrupted: is there enough memory?") from None
    if "problem" in answer:
        raise DataError(str(answer["problem"]))
    users = [_user_prediction(each) for each in answer["users"]]
    return Predictions(answer["dataset"], answer["tested"], users)


def _user_prediction(answer: Mapping[str, Any]) -> UserPrediction:
    true = answer["true"]
    return UserPrediction(
        user=answer["user"],
        history=[Item(**each) for each in answer["history"]],
        true=Item(**true) if true else None,
        rank=answer["rank"],
        rank_masked=answer["rank_masked"],
        top=[Recommendation(**each) for each in answer["top"]],
    )
