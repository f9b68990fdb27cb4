"""The data sets that have a column of the grid, and whether each is on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from textual.dom import DOMNode

from tui.launch.grid.cells import Column
from tui.launch.grid.contents import data_column
from tui.launch.words import BY_HAND
from tui.shell.reading import Reading

if TYPE_CHECKING:
    from engine.config import Catalogue
    from tui.lab import Lab


class DataColumns:
    """Looks for data sets in a thread. An optional one has a column if it is here or wanted.

    Args:
        owner: the screen of the grid.
        looked: called when it is known which data sets are here.
        fail: takes why that can't be known.
    """

    def __init__(
        self, owner: DOMNode, looked: Callable[[], object], fail: Callable[[str], object]
    ) -> None:
        self.ready: Mapping[str, bool] | None = None
        """Whether each data set is here; ``None`` before they were looked for."""
        self.other_copies: Mapping[str, str] = {}
        """Data sets here that differ from their catalogue entry, with a sentence each."""
        self.wanted: frozenset[str] = frozenset()
        """Optional data sets that have a column whether or not they are here."""
        self.before: frozenset[str] = frozenset()
        """Those that had a column when the app was left; it stays until they were looked for."""
        self._looked = looked
        self._reading = Reading(owner, self._take, fail)
        self._comparing = Reading(owner, self._take_other_copies, fail)

    def columns(self, catalogue: Catalogue) -> list[Column]:
        """Head the columns of the grid."""
        datasets = (catalogue.datasets[name] for name in catalogue.dataset_order)
        ready = dict.fromkeys(self.before, True) if self.ready is None else self.ready
        named = self.wanted.union(name for name, here in ready.items() if here)
        shown = (each for each in datasets if not each.optional or each.name in named)
        return [
            data_column(dataset, self.ready, other_copy=dataset.name in self.other_copies)
            for dataset in shown
        ]

    def want(self, names: Iterable[str]) -> None:
        """Give data sets a column; one that has it keeps it."""
        self.wanted |= frozenset(names)

    def look(self, catalogue: Catalogue) -> None:
        """Find out which data sets are here."""

        def read() -> Mapping[str, bool]:
            from tui.launch.reading import read_ready

            return read_ready(catalogue)

        def compare() -> Mapping[str, str]:
            from tui.launch.reading import read_other_copies

            return read_other_copies(catalogue)

        self._reading.ask(read)
        self._comparing.ask(compare)

    def fetch(self, app: Lab, name: str) -> None:
        """Offer to fetch a data set, once the configuration is there; or say why that isn't
        offered."""
        from tui.dialogs.fetch import FetchScreen

        catalogue = app.catalogue
        if catalogue is None:
            return
        dataset = catalogue.datasets[name]
        if self.ready is None:
            app.notify("Still checking whether it is here.")
        elif self.ready[dataset.name]:
            app.notify(f"{dataset.name} is ready.")
        elif dataset.archive is None:
            sentence = f"{dataset.name} can't be fetched: {BY_HAND}"
            app.notify(sentence, severity="warning")
        else:
            app.push_screen(FetchScreen(dataset), lambda _: self.look(catalogue))

    def _take_other_copies(self, found: Mapping[str, str]) -> None:
        if found != self.other_copies:
            self.other_copies = found
            self._looked()

    def _take(self, ready: Mapping[str, bool]) -> None:
        self.ready = ready
        self._looked()
