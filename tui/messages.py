"""Messages between the app and its screens, and the snapshot of the store that some carry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from textual.message import Message

from engine.lifecycle import UNDER_WAY

if TYPE_CHECKING:
    from engine.analysis.columns.definitions import Aggregate
    from engine.config import Catalogue
    from engine.store.compare.grouping import Choice


class Snapshot(NamedTuple):
    """The state of the store at one moment."""

    exists: bool = False
    """False until the first run is enqueued, which is no problem."""
    version: int = 0
    """Grows whenever something was written; 0 before the first look at the store."""
    counts: Mapping[str, int] = MappingProxyType({})
    """Number of runs by state."""
    problem: str | None = None
    """Why the store can't be read, as a sentence."""

    @property
    def unfinished(self) -> int:
        """Number of runs that are running or waiting."""
        return sum(self.counts.get(state, 0) for state in UNDER_WAY)


class StoreChanged(Message, bubble=False):
    """Tell that the store has new content: the active screen, and one that becomes active."""

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__()
        self.snapshot = snapshot


class CatalogueLoaded(Message, bubble=False):
    """Tell every screen that the configuration was read: ``app.catalogue`` is there."""

    def __init__(self, catalogue: Catalogue) -> None:
        super().__init__()
        self.catalogue = catalogue


class CatalogueFailed(Message, bubble=False):
    """Tell every screen why the configuration can't be used."""

    def __init__(self, sentence: str) -> None:
        super().__init__()
        self.sentence = sentence


class ModelsAwaited(Message, bubble=False):
    """Tell every screen which files of models are being described; none once they are."""

    def __init__(self, files: Sequence[str]) -> None:
        super().__init__()
        self.files = files


class DataSetsChanged(Message, bubble=False):
    """Tell the screen that becomes active that data sets may have been fetched."""

    def __init__(self, wanted: str | None = None) -> None:
        super().__init__()
        self.wanted = wanted
        """A data set that runs are to be chosen of."""


# What screens tell the app, and ask of it


class FirstViewShown(Message):
    """Tell that the first screen shows what it can before anything else is read."""


class RunWanted(Message):
    """Ask to show a run's details."""

    def __init__(self, run_id: str) -> None:
        super().__init__()
        self.run_id = run_id


class ReplayWanted(Message):
    """Ask to replay a run."""

    def __init__(self, run_id: str) -> None:
        super().__init__()
        self.run_id = run_id


class PivotWanted(Message):
    """Ask to show the cells of some runs as a pivot table."""

    def __init__(self, choice: Choice, aggregate: Aggregate) -> None:
        super().__init__()
        self.choice = choice
        self.aggregate = aggregate


class CatalogueWanted(Message):
    """Ask to show the catalogue of data sets, with the cursor on one of them."""

    def __init__(self, dataset: str | None) -> None:
        super().__init__()
        self.dataset = dataset
