"""Models: what a model's file imports, and loading such files."""

from engine.models.base import (
    FittedModel,
    MaskedModel,
    Model,
    OutputLayer,
    OwnLossModel,
    SequenceModel,
    TimedModel,
    TrainingHistories,
)
from engine.models.definition import Definition, ModelSettings

__all__ = [
    "Definition",
    "FittedModel",
    "MaskedModel",
    "Model",
    "ModelSettings",
    "OutputLayer",
    "OwnLossModel",
    "SequenceModel",
    "TimedModel",
    "TrainingHistories",
]
