"""Building the model of an architecture."""

from __future__ import annotations

from engine import spec
from engine.models.base import SequenceModel
from engine.models.bert4rec import BERT4Rec
from engine.models.sasrec import SASRec
from engine.models.xlstm import XLSTM


def build(architecture: spec.Architecture, num_items: int, length: int) -> SequenceModel:
    """Build the model of an architecture, with weights drawn from torch's global generator.

    To add a model:

    1. describe its sizes by a class in `engine.spec`, listed in ``Architecture`` and
       ``ARCHITECTURES``;
    2. implement `SequenceModel` in a file beside this one, and add a case below;
    3. state its parameter count in closed form in `engine.models.sizes`, which tests compare with
       the module;
    4. write ``configs/models/NAME.yaml`` with its profiles.

    Training, evaluation, the command line and the app then know it by its name.

    Args:
        num_items: V, the number of items; 0 is padding.
        length: L, the most recent items that the model sees.
    """
    match architecture:
        case spec.SASRec():
            return SASRec(architecture, num_items, length)
        case spec.BERT4Rec():
            return BERT4Rec(architecture, num_items, length)
        case spec.XLSTM():
            return XLSTM(architecture, num_items, length)
