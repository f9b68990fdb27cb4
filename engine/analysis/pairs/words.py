"""Two cells of the store, tested in every metric and described in sentences."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.analysis.claims.rule import Side, Untold, untold
from engine.analysis.claims.words import pair_note, pair_sentence
from engine.analysis.pairs.cells import RankedCell, across_metrics, ranked_cell
from engine.analysis.run.relaunch import launches_of
from engine.store.location import StoreLocation

if TYPE_CHECKING:
    from engine.config import Catalogue


@dataclass(frozen=True, slots=True)
class PairWords:
    """What is said of two cells, or runs."""

    sentences: tuple[str, ...]
    """Sentences on each metric and on how to read them, after the reason if nothing can be
    claimed."""
    why_untold: str | None
    """Why nothing can be claimed about them; None if something is."""


def words_for(
    con: sqlite3.Connection,
    location: StoreLocation,
    sides: tuple[Sequence[str], Sequence[str]],
    names: tuple[str, str],
    catalogue: Catalogue | None = None,
) -> PairWords:
    """Test the runs of one cell against those of another, which are called by these names.

    Args:
        catalogue: knows with which command the cells are launched.
    """
    cells: list[RankedCell] = []
    known: list[Side] = []
    missing: list[str] = []
    for runs, name in zip(sides, names, strict=True):
        cell, problems = ranked_cell(con, location, runs, catalogue)
        missing += problems
        if cell is not None:
            cells.append(replace(cell, label=name))
            known.append(cells[-1].side)
        else:
            launches = launches_of(con, runs, catalogue)
            launch = next(iter(launches.values()), None)
            known.append(Side(name, len(runs), launch=launch, ranked=False))
    if len(cells) < len(sides):
        return _nothing(untold(*known), missing)
    found = across_metrics(*cells)
    if not found:
        return _nothing(Untold("their data, protocol or test users differ"), missing)
    said = [
        pair_sentence(pair.claim, pair.difference.effect, pair.more_seeds)
        for pair in found.values()
    ]
    first = found["ndcg"]
    if first.why_untold is not None:
        why = f"{first.why_untold}."
        return PairWords((why, *said, *missing), why)
    found_over = first.difference
    note = pair_note(first.claim, found_over.users, first.a.targets, found_over.seeds)
    return PairWords((*said, note, *missing), None)


def _nothing(reason: Untold | None, missing: Sequence[str]) -> PairWords:
    assert reason is not None
    why = f"{reason.sentence}."
    return PairWords((why, *missing), why)
