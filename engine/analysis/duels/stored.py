"""Duels of the store, computed anew from their studies' definitions and finished runs."""

from __future__ import annotations

import shlex
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from engine.analysis.claims.rule import Side, Untold, untold
from engine.analysis.duels.looks import LEAST_CHANCE, Look, Outlook, looks, outlook
from engine.analysis.export import listed
from engine.analysis.pairs.cells import RankedCell, counted_cells
from engine.analysis.run.relaunch import proposed_limit
from engine.errors import StoreError, UserError
from engine.lifecycle import UNDER_WAY
from engine.marks import STILL_IMPROVING
from engine.spec import Study
from engine.store.compare.grouping import Choice, counted_runs
from engine.store.location import StoreLocation
from engine.store.studies import FinalRun, final_runs
from engine.tuning.progress import progress_of

Outcome = Literal["going on", "decided", "futile", "used up", "no conclusion"]
"""What a duel has come to: it isn't decided yet; a look decided; its last seed would hardly decide;
it has no further seed; or nothing can be claimed about its runs."""


@dataclass(frozen=True)
class Duel:
    """A duel as its runs tell it."""

    study: Study
    dataset: str
    length: int
    tried: int
    """The seeds that any run of it has, whatever became of that."""
    under_way: bool
    """Whether a run of it is queued or in training."""
    over: bool
    """Whether it gets no further seed: it has come to something, or was stopped."""
    users: int = 0
    looks: Sequence[Look] = ()
    outlook: Outlook | None = None
    """After the last look; ``None`` where that decided, or there was none."""
    untold: Untold | None = None
    """Why nothing can be claimed, if there were runs to look at."""

    @property
    def models(self) -> tuple[str, str]:
        """The two, in the order in which they were named."""
        one, other = self.study.models
        return one.model, other.model

    @property
    def most(self) -> int:
        """The most seeds of each model."""
        assert self.study.duel is not None  # it is a duel's
        return self.study.duel

    @property
    def last(self) -> Look | None:
        return self.looks[-1] if self.looks else None

    @property
    def outcome(self) -> Outcome:
        if self.untold is not None:
            return "no conclusion"
        if self.last is not None and self.last.decided:
            return "decided"
        if self.under_way:
            return "going on"
        if not self.looks and (self.over or self.tried >= self.most):
            return "no conclusion"
        if self.tried >= self.most:
            return "used up"
        if self.outlook is not None and self.outlook.chance < LEAST_CHANCE:
            return "futile"
        return "going on"

    @property
    def winner(self) -> str | None:
        """The model that is shown to be better, if one is."""
        if self.last is None or self.outcome != "decided":
            return None
        return self.models[0 if self.last.difference > 0 else 1]


def duel_of(con: sqlite3.Connection, location: StoreLocation, name: str) -> Duel | None:
    """Read a duel: its looks are repeated on the results that there are, in the order of the seeds.
    ``None`` if there is no study of this name, or it is no duel, or another version began it."""
    try:
        progress = progress_of(con, name)
        if progress is None or progress.study.duel is None:
            return None
        own = {spec.fingerprint() for spec in progress.finals(progress.study.duel)}
    except StoreError:
        raise
    except UserError:
        return None
    runs = [run for run in final_runs(con, progress.study.profile) if run.fingerprint in own]
    found = Duel(
        study=progress.study,
        dataset=progress.first.dataset,
        length=progress.first.length,
        tried=len({run.seed for run in runs}),
        under_way=any(run.state in UNDER_WAY for run in runs),
        over=progress.over,
    )
    return _looked(con, location, found, runs)


def duels_among(
    con: sqlite3.Connection, location: StoreLocation, studies: Iterable[str]
) -> list[Duel]:
    """Read those of some studies, by name, that are duels."""
    found = (duel_of(con, location, name) for name in studies)
    return [duel for duel in found if duel is not None]


def _looked(
    con: sqlite3.Connection, location: StoreLocation, duel: Duel, runs: Sequence[FinalRun]
) -> Duel:
    """Return a duel with its looks, as far as there are results."""
    cells = [_cell(con, location, duel, model, runs) for model in duel.models]
    a, b = cells
    if a is None or b is None:
        done = [
            sum(run.state == "done" and run.model == model for run in runs) for model in duel.models
        ]
        if not all(done):
            if duel.under_way or duel.tried < duel.study.final_seeds:
                return duel
            lacking = [model for model, seeds in zip(duel.models, done, strict=True) if not seeds]
            return replace(duel, untold=Untold(f"no run of {listed(lacking)} is done"))
        sides = [
            each.side if each else Side(model, seeds, ranked=False)
            for each, model, seeds in zip(cells, duel.models, done, strict=True)
        ]
        return replace(duel, untold=untold(*sides))
    common = sorted(set(_seeds(a)) & set(_seeds(b)))
    if len(common) < duel.study.final_seeds:
        return duel
    if not a.meets(b):
        return replace(duel, untold=Untold("their data, protocol or test users differ"))
    why = untold(a.side, b.side)
    if why is not None:
        improving = any(STILL_IMPROVING in each.side.marks for each in (a, b))
        commands = (_with_more_epochs(duel),) if improving else ()
        return replace(duel, untold=replace(why, commands=commands))
    one, other = (_of_seeds(each, common).values("ndcg", masked=False) for each in (a, b))
    found = looks(one, other, duel.study.final_seeds, duel.most)
    seen = len(common[: duel.most])
    ahead = None
    if not found[-1].decided:
        ahead = outlook(one[:seen], other[:seen], duel.study.final_seeds, duel.most)
    return replace(duel, users=a.users, looks=found, outlook=ahead)


def _with_more_epochs(duel: Duel) -> str:
    """Return the command of a duel like this one with a higher epoch limit."""
    study = duel.study
    limit = proposed_limit(max(model.training.epochs for model in study.models))
    words = ["seqbench", "duel", *duel.models, "--dataset", duel.dataset]
    words += ["--length", str(duel.length), "--budget", str(study.trials)]
    return shlex.join([*words, "--seeds", str(duel.most), "--set", f"epochs={limit}"])


def _cell(
    con: sqlite3.Connection,
    location: StoreLocation,
    duel: Duel,
    model: str,
    runs: Sequence[FinalRun],
) -> RankedCell | None:
    """Return the cell of a model's runs: where their data changed the one with most seeds."""
    counted = counted_runs(con, Choice(f"profile={duel.study.profile} model={model}"))
    own = {run.run for run in runs}
    counted = {run: cell for run, cell in counted.items() if run in own}
    cells = sorted(counted_cells(con, location, counted), key=lambda cell: len(cell.runs))
    return replace(cells[-1], label=model) if cells else None


def _seeds(cell: RankedCell) -> list[int]:
    return [int(str(run["seed"])) for run in cell.runs]


def _of_seeds(cell: RankedCell, seeds: Sequence[int]) -> RankedCell:
    """Return a cell with some of its seeds, in their order."""
    places = [_seeds(cell).index(seed) for seed in seeds]
    runs = tuple(cell.runs[place] for place in places)
    return replace(cell, runs=runs, ranks=np.ascontiguousarray(cell.ranks[places]))
