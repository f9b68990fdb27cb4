"""The checkpoint that an attempt resumes from, if it matches the data on this machine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from engine.datasets.interactions import Interactions
from engine.datasets.splitting.splits import data_checksum
from engine.runfolder import RunFolder
from engine.spec import RunSpec
from engine.training.checkpoint import Checkpoint, CheckpointError, load_checkpoint
from engine.worker.samedata import (
    is_same,
    newest_checksum,
    recorded_checksum,
    refuse_other_data,
)


@dataclass(frozen=True)
class Resumption:
    """What an attempt begins with."""

    checksum: str
    """Of its data, as the run records it."""
    problems: tuple[str, ...]
    """Sentences on checkpoints that can't be used, and on data that changed."""
    checkpoint: Checkpoint | None = None
    """``None`` if it trains from the start."""
    name: str | None = None
    """The checkpoint's file."""


def checkpoint_of(path: Path, spec: RunSpec) -> Checkpoint:
    """Read a checkpoint that a run can resume from. Raises `CheckpointError`."""

    def shorter(epochs: int) -> str | None:
        found = spec.shorter(epochs)
        return found.fingerprint() if found else None

    return load_checkpoint(path, spec.fingerprint(), shorter)


def resumption(folder: RunFolder, spec: RunSpec, interactions: Interactions) -> Resumption:
    """Find the newest checkpoint that can be used: the run's own, or that of the shorter run that
    it continues.

    A checkpoint of an earlier version doesn't tell its data's checksum: the ``start`` of the
    attempt that wrote it does. Without any checkpoint the attempt trains on the data that are here,
    whatever an earlier one had.

    Raises:
        DataError: the checkpoint was trained on other data.
    """
    here = data_checksum(interactions, spec.source)
    problems: list[str] = []
    for attempt, path in reversed(folder.checkpoints()):
        try:
            checkpoint = checkpoint_of(path, spec)
        except CheckpointError as error:
            problems.append(f"{error}; looking for an earlier one.")
            continue
        recorded = checkpoint.checksum or recorded_checksum(folder, attempt)
        if recorded is None:
            problems.append(f"{path.name} doesn't tell its data: they are taken to be these.")
            recorded = here
        who = f"the checkpoint of epoch {checkpoint.epoch}"
        refuse_other_data(interactions, spec.source, recorded, who)
        return Resumption(
            recorded, tuple(problems), replace(checkpoint, checksum=recorded), path.name
        )
    before = newest_checksum(folder)
    if before is not None and not is_same(interactions, spec.source, before):
        problems.append(
            f"The data have changed since the last attempt (checksum {here[:12]}, not "
            f"{before[:12]}): the run restarts from the first epoch on the current data."
        )
    return Resumption(here, tuple(problems))
