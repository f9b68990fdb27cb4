"""The project's terms as validated data: a run's full configuration and its parts."""

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
)
from engine.spec.identity import settings_digest
from engine.spec.run import RunSpec, amended
from engine.spec.strict import Name, Strict
from engine.spec.suite import CellKey, Override, Overrides, Suite, Sweep
from engine.spec.training import (
    ARCHITECTURES,
    XLSTM,
    Architecture,
    BERT4Rec,
    SASRec,
    Training,
    Transformer,
)

__all__ = [
    "ARCHITECTURES",
    "TOP_K",
    "XLSTM",
    "Architecture",
    "Archive",
    "BERT4Rec",
    "CellKey",
    "Code",
    "Columns",
    "Dataset",
    "Filter",
    "Name",
    "Override",
    "Overrides",
    "Packing",
    "RunSpec",
    "SASRec",
    "Size",
    "SplitRule",
    "Strict",
    "Suite",
    "Sweep",
    "SyntheticSource",
    "Training",
    "Transformer",
    "amended",
    "settings_digest",
]

TOP_K = 10
"""k of the metrics, and the number of recommended items."""
