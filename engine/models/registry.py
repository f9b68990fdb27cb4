"""The model of a run's configuration."""

from __future__ import annotations

from engine import spec
from engine.models.base import Model
from engine.models.definition import Definition
from engine.models.load import load_definition


def definition_of(run: spec.RunSpec) -> Definition:
    """Return the definition of a run's model, which comes with seqbench."""
    return load_definition(run.architecture.model)


def build(architecture: spec.Architecture, num_items: int, length: int) -> Model:
    """Build the model of an architecture, with weights drawn from torch's global generator.

    Args:
        num_items: V, the number of items; 0 is padding.
        length: L, the most recent items that the model sees.
    """
    definition = load_definition(architecture.model)
    return definition.build(architecture.settings, num_items, length)
