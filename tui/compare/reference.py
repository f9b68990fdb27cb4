"""The published results of the cell under the cursor, below the comparison."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual.content import Content

from engine.analysis.literature.differences import Compared
from engine.analysis.literature.figures import Place, places_of
from engine.analysis.reference import references_of
from engine.cell import Cell
from tui.compare.page import CompareRow, Page
from tui.compare.reading import PublishedForRun, read_published
from tui.lab import Lab
from tui.results.published import elsewhere_content, reference_content, reference_title
from tui.shell.reading import Reading
from tui.shell.text import TITLE, plain
from tui.widgets.text_box import TextBox

if TYPE_CHECKING:
    from engine.config import Catalogue


class ReferencePanel(TextBox):
    """Published results beside ours, or in what those of other protocols differ; one line where
    there are none for any row."""

    app: Lab

    def __init__(self) -> None:
        super().__init__(id="reference")
        self._shown: tuple[CompareRow, Page] | None = None
        self._places: tuple[Catalogue, frozenset[Place]] | None = None
        """A configuration, and for what it has published results."""
        self._read: PublishedForRun | None = None
        # The page's own reading says what is wrong.
        self._reading = Reading(self, self._take, lambda _: None)

    def show(self, row: CompareRow | None, page: Page | None) -> None:
        """Show the published results of a row's cell beside its own, or nothing."""
        # It is kept as high as any row of the page may need while the cursor moves.
        none = page is not None and not any(self._may_have(each) for each in page.rows)
        self.set_class(none, "-none")
        if row is None or page is None or not self.display:
            self._shown = None
            self.border_title = None
            self.update("")
            return
        self._shown = row, page
        self._show(row, page)

    def forget(self) -> None:
        """Read again what is published: the configuration is another one."""
        self._read = None

    def _show(self, row: CompareRow, page: Page) -> None:
        name = plain(" × ".join(map(str, row.place)), 2 * TITLE)
        self.border_title = Content(name)
        tables = list(self.app.catalogue.published.values()) if self.app.catalogue else []
        ours, marks, width = page.figures_of(row), page.marks_of(row), self.content_size.width
        found = references_of(tables, *row.place)
        others: Sequence[Compared] = ()
        if not found and tables and self._may_have(row):
            run = row.key if row.run is not None else page.newest.get(Cell.named(row.cell), "")
            if self._read is None or self._read.run != run:
                reading = partial(read_published, self.app.location, run, row.place, tables)
                self._reading.ask(reading, run)
                self.update("")
                return
            found, others = list(self._read.references), self._read.others
        if found:
            self.border_title = Content(reference_title(found[0], name, marks))
            self.update(reference_content(found[0], ours, width, marks))
        elif others:
            self.update(elsewhere_content(others, ours, width, self.content_size.height))
        else:
            self.border_title = Content(f"{name} · no published results")
            self.update("")

    def _take(self, found: PublishedForRun) -> None:
        self._read = found
        if self._shown is not None:
            self._show(*self._shown)

    def _may_have(self, row: CompareRow) -> bool:
        """Whether anything is published for a row's model and data set, as far as the configuration
        tells."""
        if (catalogue := self.app.catalogue) is None:
            return True
        if self._places is None or self._places[0] is not catalogue:
            self._places = catalogue, places_of(catalogue.published.values())
        model, dataset, _ = row.place
        entry = catalogue.datasets.get(dataset)
        counts = (entry.users, entry.items, entry.interactions) if entry else None
        return not self._places[1].isdisjoint({(model, dataset), (model, counts)})
