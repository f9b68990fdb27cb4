"""Checkpoints: the state of a run after an epoch, written atomically and verified when read.

The file is a line of text with the SHA-256 of the rest, then the output of ``torch.save``.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.files.atomic import atomic_file
from engine.files.regular import read_regular

_MAGIC = b"seqbench checkpoint 2 sha256 "

StateDict = dict[str, Tensor]


class CheckpointError(Exception):
    """A checkpoint that can't be used; an earlier one may still be."""


@dataclass(frozen=True)
class Best:
    """The best epoch so far, by validation NDCG@10; of a refit the last one."""

    epoch: int
    score: float
    """What it is the best by: the metric, or the epoch itself."""
    metrics: dict[str, float]
    """By name, as in `engine.metrics.METRIC_COLUMNS`."""
    model: StateDict
    settings: Mapping[str, Any] | None = None
    """`EpochRecord.settings`."""


@dataclass(frozen=True)
class Checkpoint:
    """Everything that the next epoch depends on. Random numbers are drawn from seed and epoch, so
    no generator's state is kept."""

    fingerprint: str
    """`RunSpec.fingerprint`: a checkpoint of other settings is refused."""
    epoch: int
    step: int
    model: StateDict
    """Empty for a fitted model, like ``optimizer``: the next epoch depends on no weights."""
    average: StateDict | None
    """The exponential moving average of the weights, if the run keeps one."""
    optimizer: dict[str, Any]
    best: Best
    checksum: str | None = None
    """`engine.datasets.splitting.splits.data_checksum` of the data it was trained on; ``None`` in
    files of versions that didn't keep it."""


def save_checkpoint(path: Path, checkpoint: Checkpoint, before: Path | None = None) -> str:
    """Write a checkpoint durably and return its SHA-256 (hex).

    Args:
        before: where to keep the file that ``path`` held until now.

    Raises:
        OSError: the file can't be written.
    """
    buffer = io.BytesIO()
    fields = {name: getattr(checkpoint, name) for name in checkpoint.__dataclass_fields__}
    torch.save(fields | {"best": asdict(checkpoint.best)}, buffer)
    content = buffer.getbuffer()
    digest = hashlib.sha256(content).hexdigest()
    with atomic_file(path) as file:
        file.write(_MAGIC + digest.encode() + b"\n")
        file.write(content)
        file.flush()  # a full disk shows here, while the old checkpoint still stands
        if before is not None and path.exists():
            path.replace(before)
    return digest


def load_checkpoint(
    path: Path, fingerprint: str, shorter: Callable[[int], str | None] = lambda _: None
) -> Checkpoint:
    """Read the checkpoint of the run with this fingerprint, its tensors on the CPU.

    Args:
        shorter: the fingerprint of a run with a lower limit of epochs whose state at its limit
            this run has too; ``None`` if there is no such run.

    Raises:
        CheckpointError: the file is damaged, no checkpoint, or of another configuration.
    """
    try:
        data = read_regular(path)
    except OSError as error:
        raise CheckpointError(f"{path.name} can't be read: {error.strerror}") from None
    head, _, content = data.partition(b"\n")
    digest = hashlib.sha256(content).hexdigest().encode()
    if head != _MAGIC + digest:
        raise CheckpointError(f"{path.name} is damaged")
    fields = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    if fields["fingerprint"] not in (fingerprint, shorter(fields["epoch"])):
        raise CheckpointError(f"{path.name} is of another configuration")
    return Checkpoint(**fields | {"best": Best(**fields["best"])})
