"""Building the model of an architecture."""

from __future__ import annotations

from engine import spec
from engine.models.base import SequenceModel
from engine.models.load import load_definition


def build(architecture: spec.Architecture, num_items: int, length: int) -> SequenceModel:
    """Build the model of an architecture, with weights drawn from torch's global generator.

    Args:
        num_items: V, the number of items; 0 is padding.
        length: L, the most recent items that the model sees.
    """
    definition = load_definition(architecture.model)
    model = definition.build(architecture.model_dump(exclude={"model"}), num_items, length)
    assert isinstance(model, SequenceModel)
    return model
