"""The definitions of the models that come with seqbench."""

from __future__ import annotations

from engine import spec
from engine.models.base import Model
from engine.models.bert4rec import BERT4Rec
from engine.models.definition import Definition
from engine.models.sasrec import SASRec
from engine.models.xlstm import XLSTM

DEFINITIONS = {
    "sasrec": Definition("SASRec", spec.SASRec, SASRec),
    "bert4rec": Definition("BERT4Rec", spec.BERT4Rec, BERT4Rec),
    "xlstm": Definition("xLSTM", spec.XLSTM, XLSTM),
}
"""By the name of the model, as in ``architecture.model``."""


def definition_of(run: spec.RunSpec) -> Definition:
    """Return the definition of a run's model."""
    return DEFINITIONS[run.architecture.model]


def build(architecture: spec.Architecture, num_items: int, length: int) -> Model:
    """Build the model of an architecture, with weights drawn from torch's global generator.

    To add a model:

    1. describe its sizes by a class in `engine.spec`, listed in ``Architecture`` and
       ``ARCHITECTURES``;
    2. implement `SequenceModel` in a file beside this one, and define it above;
    3. state its parameter count in closed form in `engine.models.sizes`, which tests compare with
       the module;
    4. write ``configs/models/NAME.yaml`` with its profiles.

    Training, evaluation, the command line and the app then know it by its name.

    Args:
        num_items: V, the number of items; 0 is padding.
        length: L, the most recent items that the model sees.
    """
    definition = DEFINITIONS[architecture.model]
    return definition.build(architecture.model_dump(), num_items, length)
