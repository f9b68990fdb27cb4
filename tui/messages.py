"""What the app tells its screens. Threads read; screens only ever receive these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from textual.message import Message

from engine.lifecycle import UNDER_WAY

if TYPE_CHECKING:
    from engine.config import Catalogue


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


class StoreChanged(Message, bubble=False):
    """The store has new content. Sent to the active screen, and to a screen that becomes active."""

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__()
        self.snapshot = snapshot


class CatalogueLoaded(Message, bubble=False):
    """``configs/`` was read; ``app.catalogue`` is there. Sent to every screen that exists."""

    def __init__(self, catalogue: Catalogue) -> None:
        super().__init__()
        self.catalogue = catalogue


class CatalogueFailed(Message, bubble=False):
    """``configs/`` can't be used. Sent to every screen that exists."""

    def __init__(self, sentence: str) -> None:
        super().__init__()
        self.sentence = sentence
