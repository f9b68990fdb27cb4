"""Reading a study, and the list of all, in a thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from engine.lifecycle import UNDER_WAY
from engine.store.connect import KeptReader, connect_reader
from engine.store.location import StoreLocation
from engine.store.queries import Run
from engine.store.series import epoch_figures
from engine.store.studies import StoredTrial
from engine.tuning.found import (
    StudyFound,
    all_studies,
    best_first,
    best_so_far,
    find_study,
    setting_names,
    settings_of,
    stop_study,
)

__all__ = [
    "KeptReader", "Run", "StoreLocation", "StoredTrial", "StudyFound", "StudyPage", "best_first",
    "best_so_far", "read_studies", "read_study", "setting_names", "settings_of", "stop_study",
]  # fmt: skip

MOST_CURVES = 60
"""Most trials whose curves are drawn."""

Points = Sequence[tuple[int, float]]
"""Epochs, and what was reached in them."""


@dataclass(frozen=True)
class StudyPage:
    """A study as it was read."""

    found: StudyFound
    curves: Mapping[str, Points]
    """NDCG@10 on validation by epoch of trials, by run id, the most telling trial last."""


def read_study(store: KeptReader, name: str) -> StudyPage | None:
    """Read a study; ``None`` if there is none of this name any more.

    Raises:
        StoreError: a store that can't be read.
        UserError: another version of seqbench began it.
    """
    with store.reading() as con:
        found = find_study(con, name)
        if found is None:
            return None
        return StudyPage(found, {trial.run: _curve(con, trial.run) for trial in _drawn(found)})


def read_studies(location: StoreLocation) -> tuple[list[StudyFound], list[str]]:
    """Read all studies, the newest first, and why others can't be read.

    Raises:
        StoreError: a store that can't be read.
    """
    if not location.db.exists():
        return [], []
    with closing(connect_reader(location)) as con:
        return all_studies(con)


def _drawn(found: StudyFound) -> list[StoredTrial]:
    """Return the trials whose curves are drawn: of many those in training and the best."""
    trained = [trial for trial in found.progress.trials if trial.epoch]
    return sorted(trained, key=_most_telling)[:MOST_CURVES][::-1]


def _most_telling(trial: StoredTrial) -> tuple[bool, tuple[bool, float, int]]:
    return trial.held or trial.state not in UNDER_WAY, best_first(trial)


def _curve(con: sqlite3.Connection, run: str) -> Points:
    rows = epoch_figures(con, run, ("valid_ndcg",))
    return [(row["epoch"], row["valid_ndcg"]) for row in rows if row["valid_ndcg"] is not None]
