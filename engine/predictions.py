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
from engine.machine.environment import background_environment
from engine.runfolder import RunFolder

RECOMMEND = (sys.executable, "-P", "-m", "engine.worker.recommend")

PATIENCE_SECONDS = 300.0
"""A large data set that isn't prepared is read first."""


@dataclass(frozen=True)
class Item:
    """An item as the source names it."""

    id: str
    title: str
    """Empty, where the source has none."""
    score: float = 0.0
    seen: bool = False
    """Whether the user has had it before."""
    true: bool = False
    """Whether it is what the user in fact came to next."""


@dataclass(frozen=True)
class UserPrediction:
    """What a run makes of one user."""

    user: str
    history: Sequence[Item]
    """Oldest first; at most as many as the model sees."""
    true: Item | None
    rank: int | None
    """Of the true item, among all items."""
    rank_masked: int | None
    """With seen items masked."""
    top: Sequence[Item]


@dataclass(frozen=True)
class Predictions:
    """Some users of a run."""

    dataset: str
    tested: int
    """Users that the run tests in all."""
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
    """Ask for one user by id, or for ``count`` of the tested ones from the ``first`` on.

    Raises:
        DataError: the run has no weights, the data isn't here or has changed, or there is no such
            user; in words.
    """
    command = [*RECOMMEND, str(folder.path.absolute())]
    command += [f"--user={user}"] if user is not None else [f"--first={first}", f"--count={count}"]
    command += [f"--top={top}", *(["--mask-seen"] if mask_seen else [])]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=background_environment(),
            cwd=os.sep,
            check=False,
            timeout=PATIENCE_SECONDS,
        )
        told = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        raise DataError("Predicting took too long: is the machine busy?") from None
    except (OSError, ValueError):
        raise DataError("Predicting was broken off: is there enough memory?") from None
    if "problem" in told:
        raise DataError(str(told["problem"]))
    return Predictions(told["dataset"], told["tested"], [_user(each) for each in told["users"]])


def _user(told: Mapping[str, Any]) -> UserPrediction:
    true = told["true"]
    return UserPrediction(
        told["user"],
        [Item(each["item"], each["title"]) for each in told["history"]],
        Item(true["item"], true["title"]) if true else None,
        told["rank"],
        told["rank_masked"],
        [
            Item(each["item"], each["title"], each["score"], each["seen"], each["true"])
            for each in told["top"]
        ],
    )
