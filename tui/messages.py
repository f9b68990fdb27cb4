"""Messages between the app and its screens, and the snapshot of the store that some carry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from textual.message import Message

from engine.lifecycle import UNDER_WAY

if TYPE_CHECKING:
    from engine.analysis.columns.definitions import Aggregate
    from engine.config import Catalogue
    from engine.store.compare.grouping import Choice


@dataclass(frozen=True)
class Snapshot:
    """The state of the store at one moment."""

    exists: bool = False
    """False until the first run is enqueued, which is no problem."""
    version: int = 0
    """Grows whenever something was written; 0 before the first look at the store."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Number of runs by state."""
    problem: str | None = None
    """Why the store can't be read, as a sentence."""

    @property
    def unfinished(self) -> int:
        """Number of runs that are running or waiting."""
        return sum(self.counts.get(state, 0) for state in UNDER_WAY)


@dataclass
class StoreChanged(Message, bubble=False):
    """Tell that the store has new content: the active screen, and one that becomes active."""

    snapshot: Snapshot


@dataclass
class CatalogueLoaded(Message, bubble=False):
    """Tell every screen that the configuration was read: ``app.catalogue`` is there."""

    catalogue: Catalogue


@dataclass
class CatalogueFailed(Message, bubble=False):
    """Tell every screen why the configuration can't be used."""

    sentence: str


@dataclass
class ModelsAwaited(Message, bubble=False):
    """Tell every screen which files of models are being described; none once they are."""

    files: Sequence[str]


@dataclass
class DataSetsChanged(Message, bubble=False):
    """Tell the screen that becomes active that data sets may have been fetched."""

    wanted: str | None = None
    """A data set that runs are to be chosen of."""


# What screens tell the app, and ask of it


@dataclass
class FirstViewShown(Message):
    """Tell that the first screen shows what it can before anything else is read."""


@dataclass
class RunWanted(Message):
    """Ask to show a run's details."""

    run_id: str


@dataclass
class ReplayWanted(Message):
    """Ask to replay a run."""

    run_id: str


@dataclass
class PivotWanted(Message):
    """Ask to show the cells of some runs as a pivot table."""

    choice: Choice
    aggregate: Aggregate


@dataclass
class CatalogueWanted(Message):
    """Ask to show the catalogue of data sets, with the cursor on one of them."""

    dataset: str | None
