"""The objective of a run of a model that comes with seqbench."""

from __future__ import annotations

from engine.models.registry import definition_of
from engine.spec import RunSpec
from engine.training.objectives import Objective, objective_of


def known_objective(spec: RunSpec) -> Objective:
    """The objective of a run, by its model's name."""
    return objective_of(spec, definition_of(spec))
