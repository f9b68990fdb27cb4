"""A finished run, opened: its data, and its model with the weights of the best epoch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from engine.datasets.confirm import confirm
from engine.datasets.load import open_data
from engine.datasets.prepared import Prepared
from engine.datasets.splitting.splits import SplitData, run_split
from engine.errors import DataError
from engine.journal import read_journal
from engine.limits import process_limits
from engine.models.base import Model
from engine.models.definition import Definition
from engine.models.registry import definition_of
from engine.runfolder import RunFolder
from engine.spec import RunSpec
from engine.specfile import load_spec
from engine.training.ranking.recommend import trained_model
from engine.training.setup import uses_bfloat16
from engine.worker.chosen import chosen_of
from engine.worker.provenance import device_name, software
from engine.worker.samedata import (
    HEAD_BYTES,
    newest_checksum,
    refuse_other_data,
    refuse_other_names,
)


@dataclass(frozen=True)
class OpenedData:
    """What a run was trained on."""

    spec: RunSpec
    data: Prepared
    split: SplitData


@dataclass(frozen=True)
class Trained(OpenedData):
    """A finished run with all that its predictions take."""

    definition: Definition
    model: Model
    """On the CPU, in evaluation mode."""


def open_data_of(folder: RunFolder) -> OpenedData:
    """Open a run's data, split as it was.

    Raises:
        DataError: the data isn't here or has changed.
    """
    spec = load_spec(folder)
    data = open_data(spec.source, check=True)
    if (trained := newest_checksum(folder)) is not None:
        refuse_other_data(data.interactions, spec.source, trained, "the run")
        refuse_other_names(data, spec.source, folder)
    elif (copy := confirm(spec.source)) is not None and not copy.usable:
        raise DataError(copy.sentence)
    return OpenedData(spec, data, run_split(data.interactions, spec))


def open_trained(folder: RunFolder) -> Trained:
    """Open a run's data, and load its model.

    Raises:
        DataError: the run has no weights, or the data isn't here or has changed.
        ModelFileError: the file of its model isn't the one it was queued with.
    """
    return with_model(open_data_of(folder), folder)


def with_model(opened: OpenedData, folder: RunFolder) -> Trained:
    """Load the model of a run whose data is open. Raises errors as `open_trained` does."""
    spec, data = opened.spec, opened.data
    definition = definition_of(spec, folder.code)
    chosen = chosen_of(folder) if definition.kind == "fitted" else None
    num_items = data.interactions.num_items
    settings = chosen.settings if chosen else None
    model = trained_model(spec, definition, folder.best_model, num_items, settings)
    return Trained(spec, data, opened.split, definition, model)


def as_trained(folder: RunFolder) -> torch.device:
    """Take the number of threads that a run's newest attempt was evaluated with, and return its
    device, both as far as they are here: others round sums otherwise."""
    kind, threads = "cpu", 0
    for _, journal in folder.journals():
        for line in read_journal(journal, limit=HEAD_BYTES).lines:
            if line.kind == "start":
                kind = str(line.fields.get("device_kind"))
                threads = int(line.fields.get("threads") or 0)
    if threads:
        torch.set_num_threads(min(threads, process_limits().cores))
    here = kind == "cuda" and torch.cuda.is_available()
    return torch.device("cuda" if here else "cpu")


def made_with(spec: RunSpec, device: torch.device) -> dict[str, Any]:
    """Name what a finished run's model is evaluated with: device, number types, threads and
    versions."""
    return {
        "device": device_name(device),
        "dtype": "bfloat16" if uses_bfloat16(spec.training, device) else "float32",
        "threads": torch.get_num_threads(),
        **software(),
    }
