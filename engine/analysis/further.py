"""Whether training may go on past a run's limit of epochs, and the command for it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine.analysis.relaunch import relaunch_command
from engine.runfolder import RunFolder
from engine.store.queries import Run

if TYPE_CHECKING:
    from engine.config import Catalogue


def at_its_limit(run: Run) -> bool:
    """Whether a run of ours is done because it had all the epochs that it was allowed."""
    return (
        run.state == "done"
        and not run.origin
        and run.epochs is not None
        and ((run.epoch or 0) >= run.epochs)
    )


def proposed_limit(run: Run) -> int:
    """Return the limit of epochs to propose for going on: twice the run's."""
    return 2 * (run.epochs or 1)


def why_not_further(
    folder: RunFolder,
    run: Run,
    spec: Mapping[str, Any],
    catalogue: Catalogue | None,
    epochs: int | None = None,
) -> str | None:
    """Return a sentence that says why training can't go on from the end of a run; ``None`` if it
    can.

    Args:
        folder: the run's.
        spec: `engine.spec.RunSpec` as JSON.
        epochs: the new limit; `proposed_limit` if it isn't given.
    """
    limit, training = proposed_limit(run) if epochs is None else epochs, spec.get("training", {})
    if run.origin:
        return f"{run.id} was imported: nothing is known of how it was trained."
    if run.state != "done":
        return f"{run.id} is {run.state}: only a run that is done goes on past its limit of epochs."
    waited = (run.epoch or 0) - (run.best_epoch or 0)
    if not at_its_limit(run) or waited >= training.get("patience", 0):
        return (
            f"{run.id} stopped by itself at epoch {run.epoch}, as {waited} epochs brought nothing "
            "better: a higher limit changes nothing."
        )
    if limit <= (run.epochs or 0):
        return f"{run.id} had {run.epochs} epochs already: name a higher limit."
    again = f"train again with the higher limit, `{_anew(spec, limit, catalogue)}`"
    if training.get("lr_decay", "constant") != "constant":
        return f"The learning rate of {run.id} falls over all of its epochs: {again}."
    if not folder.checkpoints():
        return f"The folder of {run.id} has no checkpoint to go on from: {again}."
    return None


def further_command(
    folder: RunFolder, run: Run, spec: Mapping[str, Any], catalogue: Catalogue | None
) -> str:
    """Write the command that trains a run which is at its limit of epochs for more of them."""
    limit = proposed_limit(run)
    if why_not_further(folder, run, spec, catalogue) is None:
        return shlex.join(["seqbench", "continue", run.id, "--epochs", str(limit)])
    return _anew(spec, limit, catalogue)


def _anew(spec: Mapping[str, Any], epochs: int, catalogue: Catalogue | None) -> str:
    training = {**spec.get("training", {}), "epochs": epochs}
    return relaunch_command({**spec, "training": training}, catalogue)
