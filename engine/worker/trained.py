"""A finished run, opened: its data and its model with the weights of the best epoch."""

from __future__ import annotations

from dataclasses import dataclass

from engine.datasets.confirm import confirm
from engine.datasets.load import open_data
from engine.datasets.prepared import Prepared
from engine.datasets.splits import SplitData, run_split
from engine.errors import DataError
from engine.models.base import Model
from engine.models.definition import Definition
from engine.models.registry import definition_of
from engine.runfolder import RunFolder
from engine.spec import RunSpec
from engine.specfile import load_spec
from engine.training.recommend import trained_model
from engine.worker.chosen import chosen_of
from engine.worker.samedata import newest_checksum, refuse_other_data, refuse_other_names


@dataclass(frozen=True)
class Trained:
    """A finished run with all that its predictions take."""

    spec: RunSpec
    definition: Definition
    data: Prepared
    split: SplitData
    model: Model
    """On the CPU, in evaluation mode."""


def open_trained(folder: RunFolder) -> Trained:
    """Open a run's data, and load its model.

    Raises:
        DataError: the run has no weights, or the data isn't here or has changed.
        ModelFileError: the file of its model isn't the one it was queued with.
    """
    spec = load_spec(folder)
    data = open_data(spec.source, check=True)
    if (trained := newest_checksum(folder)) is not None:
        refuse_other_data(data.interactions, spec.source, trained, "the run")
        refuse_other_names(data, spec.source, folder)
    elif (copy := confirm(spec.source)) is not None and not copy.usable:
        raise DataError(copy.sentence)
    split = run_split(data.interactions, spec)
    definition = definition_of(spec, folder.code)
    chosen = chosen_of(folder) if definition.kind == "fitted" else None
    num_items = data.interactions.num_items
    settings = chosen.settings if chosen else None
    model = trained_model(spec, definition, folder.best_model, num_items, settings)
    return Trained(spec, definition, data, split, model)
