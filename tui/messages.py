"""What the app tells its screens, and what screens ask it for. Threads read; screens receive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from textual.message import Message

from engine.lifecycle import UNDER_WAY

if TYPE_CHECKING:
    from engine.analysis.comparison import Aggregate
    from engine.config import Catalogue
    from engine.store.compare.grouping import Choice


@dataclass(frozen=True)
class Snapshot:
    """The store at one moment."""

    exists: bool = False
    """False until the first run is enqueued: nothing to show, and nothing wrong."""
    version: int = 0
    """Differs from the one before whenever something was written; 0 before the first look."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Runs by state."""
    problem: str | None = None
    """Why the store can't be read, as a sentence."""

    @property
    def unfinished(self) -> int:
        """Runs that are running or wait."""
        return sum(self.counts.get(state, 0) for state in UNDER_WAY)


@dataclass
class StoreChanged(Message, bubble=False):
    """The store has new content. Sent to the active screen, and to a screen that becomes active."""

    snapshot: Snapshot


@dataclass
class CatalogueLoaded(Message, bubble=False):
    """``configs/`` was read; ``app.catalogue`` is there. Sent to every screen that exists."""

    catalogue: Catalogue


@dataclass
class CatalogueFailed(Message, bubble=False):
    """``configs/`` can't be used. Sent to every screen that exists."""

    sentence: str


class DataSetsChanged(Message, bubble=False):
    """Data sets may have been fetched. Sent to the screen that becomes active."""


# What screens ask the app for


@dataclass
class RunWanted(Message):
    """Show a run's details."""

    run_id: str


@dataclass
class ReplayWanted(Message):
    """Replay a run, with other runs laid over its charts."""

    run_id: str
    overlay: Sequence[str]


@dataclass
class PivotWanted(Message):
    """Show the cells of some runs as a pivot table."""

    choice: Choice
    aggregate: Aggregate


@dataclass
class CatalogueWanted(Message):
    """Show the catalogue of data sets, with the cursor on one of them."""

    dataset: str | None
