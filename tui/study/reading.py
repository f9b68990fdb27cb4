"""Reading a study, and the list of all, in a thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass

from engine.analysis.duels.stored import duel_of
from engine.analysis.duels.words import verdict
from engine.lifecycle import UNDER_WAY
from engine.store.compare.comparison import runs_by_id
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
from tui.charts.braille.curve import Points

__all__ = [
    "KeptReader", "Points", "Run", "StoreLocation", "StoredTrial", "StudyFound", "StudyPage",
    "best_first", "best_so_far", "points_of", "read_studies", "read_study", "setting_names",
    "settings_of", "stop_study",
]  # fmt: skip

MOST_CURVES = 60
"""Most trials whose curves are drawn."""


@dataclass(frozen=True)
class StudyPage:
    """A study as it was read."""

    found: StudyFound
    curves: Mapping[str, Points]
    """NDCG@10 on validation by epoch of trials, by run id, the most telling trial last."""
    final_seconds: Mapping[str, float]
    """Time in training and validation so far of the runs of what was chosen, by run id."""
    verdict: str = ""
    """Of a duel that has runs of what was chosen: what it has come to."""


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
        curves = {trial.run: _curve(con, trial.run) for trial in _drawn(found)}
        finals = [run.id for run in found.finals]
        duel = duel_of(con, store.location, name) if found.is_duel and finals else None
        seconds = dict(runs_by_id(con, ("id", "total_seconds"), finals))
        return StudyPage(found, curves, seconds, verdict(duel) if duel else "")


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
    return points_of((row["epoch"], row["valid_ndcg"]) for row in rows)


def points_of(pairs: Iterable[tuple[int, float | None]]) -> Points:
    """Make points for a chart whose x has one unit."""
    return Points.of((x, x, x, y) for x, y in pairs)
