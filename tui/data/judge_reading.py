"""Reading and starting a data set's judgement, in a thread; loads numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.judge.ask import JudgingProcess
from engine.judge.read import Known, known_of
from engine.judge.sentence import facts
from tui.data.words import Judged

if TYPE_CHECKING:
    from engine.config import Catalogue
    from engine.spec import Dataset
    from engine.store.location import StoreLocation

LENGTH = 50
"""Last items of a history that models see, as by default in `seqbench data judge`."""

__all__ = ["JudgingProcess", "judged", "start_judging"]


def judged(dataset: Dataset, location: StoreLocation, catalogue: Catalogue) -> Judged:
    """Read what is known of whether a data set can tell models apart.

    Raises:
        UserError: the data can't be read, or the store can't.
    """
    known = _known(dataset, location, catalogue)
    said = known.said
    return Judged(tuple(facts(said)) if said else (), known.takes)


def start_judging(
    dataset: Dataset, location: StoreLocation, catalogue: Catalogue
) -> JudgingProcess:
    """Start judging a data set; what is found is kept for `judged`.

    Raises:
        UserError: as `judged`, or no process can be started.
    """
    return _known(dataset, location, catalogue).start()


def _known(dataset: Dataset, location: StoreLocation, catalogue: Catalogue) -> Known:
    return known_of(dataset, LENGTH, location, catalogue)
