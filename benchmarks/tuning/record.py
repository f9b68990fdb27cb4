"""What is kept of a study: its definition, and what its trials reached after each epoch."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from engine.errors import UserError
from engine.files.atomic import write_atomically
from engine.lifecycle import UNDER_WAY
from engine.rungs import PRUNED
from engine.store.queries import get_run
from engine.store.studies import runs_under
from engine.tuning.progress import progress_of


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """A trial of a study."""

    number: int
    state: str
    cause: str | None
    settings: dict[str, Any]
    """Its values of the settings of the space."""
    valid: Sequence[float]
    """NDCG@10 on validation after each epoch."""
    seconds: Sequence[float]
    """Of training and validation, of each epoch."""

    @property
    def best(self) -> float | None:
        """The most that it reached, whether or not it was pruned."""
        return max(self.valid, default=None)

    @property
    def whole(self) -> bool:
        """Whether it ended by itself: it may be chosen."""
        return self.state == "done" and self.cause != PRUNED and bool(self.valid)


@dataclass(frozen=True, slots=True)
class StudyRecord:
    """A study of one model."""

    spec: dict[str, Any]
    """Its first trial's `engine.spec.RunSpec` as JSON, which has its whole definition."""
    ended: bool
    """Whether it is over, and what it chose is trained."""
    trials: Sequence[TrialRecord]
    finals: Sequence[float]
    """Best NDCG@10 on validation of each run of what it chose."""

    @property
    def kind(self) -> tuple[str, str]:
        """Its sampler and how it prunes."""
        study = self.spec["trial"]["study"]
        return study["sampler"], study["prune"]

    @property
    def repeat(self) -> int:
        """Its seed: studies of one seed have the same first trial, and those that draw at random
        the same ones throughout."""
        return int(self.spec["seed"])

    @property
    def recipe(self) -> float | None:
        """What the first trial, which is the recipe, reached; ``None`` if it was pruned."""
        whole = [each for each in self.trials if each.number == 0 and each.whole]
        return whole[0].best if whole else None

    @property
    def chosen(self) -> float | None:
        """The best of the trials that may be chosen."""
        return max((max(each.valid) for each in self.trials if each.whole), default=None)

    @property
    def epochs(self) -> int:
        """Of all trials together."""
        return sum(len(each.valid) for each in self.trials)

    @property
    def seconds(self) -> float:
        """Of all trials together."""
        return sum(sum(each.seconds) for each in self.trials)

    def best_after(self, trials: int) -> float | None:
        """Return the best of the first so many trials."""
        first = self.trials[:trials]
        return max((each.best for each in first if each.best is not None), default=None)


def recorded(con: sqlite3.Connection, name: str) -> StudyRecord:
    """Read a study of a store as it stands."""
    progress = progress_of(con, name)
    assert progress is not None  # it was begun
    rows = con.execute(
        "SELECT e.run, e.valid_ndcg, e.train_seconds + ifnull(e.eval_seconds, 0)"
        " FROM epochs e JOIN runs r ON r.id = e.run WHERE r.study = ? ORDER BY e.run, e.epoch",
        (name,),
    )
    curves = {run: [tuple(row)[1:] for row in some] for run, some in groupby(rows, lambda r: r[0])}
    (model,) = progress.study.models
    trials = [
        TrialRecord(
            each.number,
            each.state,
            each.cause,
            progress.settings(model, each),
            *(tuple(values) for values in zip(*curves.get(each.run, []), strict=True)),
        )
        if each.run in curves
        else TrialRecord(
            each.number, each.state, each.cause, progress.settings(model, each), (), ()
        )
        for each in progress.trials
    ]
    finals = [get_run(con, run) for run, _ in runs_under(con, progress.study.profile)]
    there = [run for run in finals if run is not None]
    ended = progress.over and not any(run.state in UNDER_WAY for run in there)
    reached = [run.best_valid_ndcg for run in there if run.best_valid_ndcg is not None]
    return StudyRecord(progress.first.model_dump(mode="json"), ended, trials, reached)


def write_records(path: Path, studies: Iterable[StudyRecord]) -> None:
    write_atomically(path, json.dumps([asdict(each) for each in studies]))


def read_records(path: Path) -> list[StudyRecord]:
    """Raises `UserError` if there are none."""
    try:
        found = json.loads(path.read_text())
        return [
            StudyRecord(**{**each, "trials": [TrialRecord(**trial) for trial in each["trials"]]})
            for each in found
        ]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UserError(f"{path} has no record of studies ({error}).") from None
