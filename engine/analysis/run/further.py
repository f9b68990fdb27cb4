"""Whether a run can be trained past its epoch limit, and the command for it; whether it can be
refitted."""

from __future__ import annotations

import shlex
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from engine.analysis.labels.stored import cell_of_run
from engine.analysis.run.relaunch import proposed_limit, relaunch_command
from engine.fitted import is_fitted
from engine.lifecycle import REFIT, allows
from engine.marks import STILL_IMPROVING
from engine.runfolder import RunFolder
from engine.store.compare.grouping import Choice, runs_of_cell
from engine.store.location import StoreLocation
from engine.store.queries import Run, get_run, specs_of

if TYPE_CHECKING:
    from engine.config import Catalogue


def at_its_limit(run: Run) -> bool:
    """Whether a run of ours was trained for all the epochs that it was allowed."""
    ours = run.state == "done" and not (run.origin or run.fitted or run.refits or run.study)
    return ours and run.epochs is not None and (run.epoch or 0) >= run.epochs


def why_not_refit(run: Run) -> str | None:
    """Return a sentence that says why a run can't be trained again with validation included;
    ``None`` if it can."""
    if run.origin:
        return f"{run.id} was imported: it isn't known how it was trained."
    if run.refits:
        return f"{run.id} is a refit already, of {run.refits}."
    if run.study:
        return _of_study(run)
    if not allows(run.state, REFIT):
        return f"{run.id} is {run.state}: only a run that is done has a chosen epoch."
    return None


def _of_study(run: Run) -> str:
    return f"{run.id} is a trial of {run.study}, which trains what it chooses again at its end."


def why_not_further(
    folder: RunFolder,
    run: Run,
    spec: Mapping[str, Any],
    catalogue: Catalogue | None,
    epochs: int | None = None,
) -> str | None:
    """Return a sentence that says why a run can't be trained further; ``None`` if it
    can.

    Args:
        folder: the run's.
        spec: `engine.spec.RunSpec` as JSON.
        epochs: the new limit; `proposed_limit` if it isn't given.
    """
    from engine.spec import Training  # pydantic, which a screen that only asks for a limit spares

    training = Training.model_construct(**spec.get("training", {}))
    limit = proposed_limit(run.epochs) if epochs is None else epochs
    if run.origin:
        return f"{run.id} was imported: it isn't known how it was trained."
    if run.state != "done":
        return (
            f"{run.id} is {run.state}: only a run that is done can be trained past its epoch limit."
        )
    if is_fitted(spec):
        return f"{run.id} is of a fitted model, which has tried all its combinations of settings."
    if run.refits:
        return f"{run.id} refits {run.refits}: it trains to the epoch that was chosen there."
    if run.study:
        return _of_study(run)
    waited = (run.epoch or 0) - (run.best_epoch or 0)
    if not at_its_limit(run) or waited >= training.patience:
        return (
            f"{run.id} stopped early at epoch {run.epoch}, after "
            f"{waited} {'epoch' if waited == 1 else 'epochs'} without improvement: "
            "a higher limit changes nothing."
        )
    if limit <= (run.epochs or 0):
        return f"{run.id} already trained to epoch {run.epochs}: give a higher limit."
    again = f"train again with the higher limit, `{_anew(spec, limit, catalogue)}`"
    if training.depends_on_limit:
        return f"The learning rate of {run.id} decays over all of its epochs: {again}."
    if not folder.checkpoints():
        return f"The folder of {run.id} has no checkpoint to resume from: {again}."
    return None


def further_command(
    con: sqlite3.Connection, location: StoreLocation, run: Run, catalogue: Catalogue | None
) -> str | None:
    """Write the command that trains a run which is still improving at its limit further, with the
    other runs of its cell that need it, so that they stay one cell; ``None`` for other runs."""
    if not _improving(run):
        return None
    cell = cell_of_run(con, run.id)
    ids = runs_of_cell(con, Choice(), cell.name) if cell is not None else []
    found = [get_run(con, each) for each in ids] if run.id in ids else [run]
    runs = [each for each in found if each is not None]
    cut = [each for each in runs if _improving(each)]
    specs = specs_of(con, [each.id for each in cut])
    seeds = {each.id: [one.seed for one in runs] for each in cut} if len(cut) < len(runs) else None
    return " && ".join(
        further_commands(location, [(each, specs[each.id]) for each in cut], catalogue, seeds)
    )


def _improving(run: Run) -> bool:
    return STILL_IMPROVING in (run.marks or "").split()


def further_commands(
    location: StoreLocation,
    runs: Iterable[tuple[Run, Mapping[str, Any]]],
    catalogue: Catalogue | None,
    seeds: Mapping[str, Sequence[int]] | None = None,
) -> list[str]:
    """Write the commands that train runs which are at their limit for twice as many epochs: from
    their checkpoints, one command for all with one limit; else from the start, one a run.

    Args:
        runs: each with its `engine.spec.RunSpec` as JSON.
        seeds: by run id, those of its cell where others of its runs stopped by themselves: runs of
            two limits make no cell, so all of them are run with the higher one.
    """
    together: dict[int, list[str]] = {}
    alone = []
    for run, spec in runs:
        limit = proposed_limit(run.epochs)
        if of_cell := (seeds or {}).get(run.id):
            alone.append(_anew(spec, limit, catalogue, of_cell))
        elif why_not_further(location.folder(run.id), run, spec, catalogue) is None:
            together.setdefault(limit, []).append(run.id)
        else:
            alone.append(_anew(spec, limit, catalogue))
    return [
        *(
            shlex.join(["seqbench", "continue", *ids, "--epochs", str(limit)])
            for limit, ids in together.items()
        ),
        *dict.fromkeys(alone),
    ]


def _anew(
    spec: Mapping[str, Any], epochs: int, catalogue: Catalogue | None, seeds: Sequence[int] = ()
) -> str:
    training = {**spec.get("training", {}), "epochs": epochs}
    return relaunch_command({**spec, "training": training}, catalogue, seeds)
