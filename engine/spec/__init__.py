"""The project's terms as validated data: a run's full configuration and its parts."""

from engine.spec.architecture import Architecture, settings_class
from engine.spec.code import Code
from engine.spec.data import (
    Archive,
    Columns,
    Dataset,
    Filter,
    Packing,
    Size,
    SplitRule,
    SyntheticSource,
    Targets,
)
from engine.spec.identity import settings_digest
from engine.spec.run import RunSpec, amended, leaves_choice, parameter_count
from engine.spec.strict import Name, Strict
from engine.spec.study import ChosenBy, Prune, Range, Sampler, Space, Study, Trial, TunedModel
from engine.spec.suite import CellKey, Override, Overrides, Suite, Sweep
from engine.spec.training import Training, objective_problem

__all__ = [
    "TOP_K",
    "Architecture",
    "Archive",
    "CellKey",
    "ChosenBy",
    "Code",
    "Columns",
    "Dataset",
    "Filter",
    "Name",
    "Override",
    "Overrides",
    "Packing",
    "Prune",
    "Range",
    "RunSpec",
    "Sampler",
    "Size",
    "Space",
    "SplitRule",
    "Strict",
    "Study",
    "Suite",
    "Sweep",
    "SyntheticSource",
    "Targets",
    "Training",
    "Trial",
    "TunedModel",
    "amended",
    "leaves_choice",
    "objective_problem",
    "parameter_count",
    "settings_class",
    "settings_digest",
]

TOP_K = 10
"""k of the metrics, and the number of recommended items."""
