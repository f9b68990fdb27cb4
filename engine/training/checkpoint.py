"""The state of a run after an epoch: written whole or not at all, and known to be whole when read.

The file is a line of text with the SHA-256 of what follows, then what ``torch.save`` writes.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.atomic import atomic_file
from engine.regular import read_regular

_MAGIC = b"seqbench checkpoint 2 sha256 "

StateDict = dict[str, Tensor]


class CheckpointError(Exception):
    """A checkpoint that can't be used; the one before may be whole."""


@dataclass(frozen=True)
class Best:
    """The epoch chosen so far."""

    epoch: int
    score: float
    """Its validation NDCG@10."""
    metrics: dict[str, float]
    model: StateDict


@dataclass(frozen=True)
class Checkpoint:
    """Everything that the next epoch depends on. Random numbers are drawn by seed and epoch, so
    no generator's state is needed."""

    fingerprint: str
    """`RunSpec.fingerprint`: a checkpoint of other settings is refused."""
    epoch: int
    step: int
    model: StateDict
    average: StateDict | None
    """Averaged weights, where the run keeps any."""
    optimizer: dict[str, Any]
    best: Best


def save_checkpoint(path: Path, checkpoint: Checkpoint, before: Path | None = None) -> str:
    """Write durably and return the SHA-256 (hex); what stood at ``path`` is kept at ``before``.

    Raises:
        OSError: it can't be written.
    """
    buffer = io.BytesIO()
    fields = {name: getattr(checkpoint, name) for name in checkpoint.__dataclass_fields__}
    torch.save(fields | {"best": asdict(checkpoint.best)}, buffer)
    content = buffer.getbuffer()
    digest = hashlib.sha256(content).hexdigest()
    with atomic_file(path) as file:
        file.write(_MAGIC + digest.encode() + b"\n")
        file.write(content)
        file.flush()  # while both are whole, a full disk included
        if before is not None and path.exists():
            path.replace(before)
    return digest


def load_checkpoint(path: Path, fingerprint: str) -> Checkpoint:
    """Read a checkpoint of the run with this fingerprint, on the CPU.

    Raises:
        CheckpointError: it is damaged, not a checkpoint, or of another configuration.
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
    if fields["fingerprint"] != fingerprint:
        raise CheckpointError(f"{path.name} is of another configuration")
    return Checkpoint(**fields | {"best": Best(**fields["best"])})
