"""Messages between the app and its screens, and the snapshot of the store that some carry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from textual.message import Message

from engine.lifecycle import UNDER_WAY

if TYPE_CHECKING:
    from engine.config import Catalogue


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


class FirstViewShown(Message):
    """Tell that the first screen shows what it can before anything else is read."""
