"""The published figures of the cell under the cursor, below the comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from engine.analysis.reference import references_of
from tui.compare.page import CompareRow, Page
from tui.lab import Lab
from tui.results.published import reference_content, reference_title
from tui.shell.text import TITLE, plain
from tui.widgets.text_box import TextBox

if TYPE_CHECKING:
    from engine.config import Catalogue


class ReferencePanel(TextBox):
    """Published figures beside ours; one line where no row has any."""

    app: Lab

    def __init__(self) -> None:
        super().__init__(id="reference")
        self._read: tuple[Page, Catalogue, bool] | None = None
        """A page, a configuration, and whether that has published results for any of its rows."""

    def show(self, row: CompareRow | None, page: Page | None) -> None:
        """Show the published figures of a row's cell beside its own, or nothing."""
        self.set_class(page is not None and not self._any_published(page), "-none")
        if row is None or page is None or not self.display:
            self.border_title = None
            self.update("")
            return
        model, dataset, length = row.place
        name = plain(f"{model} × {dataset} × {length}", 2 * TITLE)
        tables = self.app.catalogue.references.values() if self.app.catalogue else ()
        found = references_of(tables, model, dataset, length)
        if not found:
            self.border_title = Content(f"{name} · no published results")
            self.update("")
            return
        ours, marks = page.figures_of(row), page.marks_of(row)
        self.border_title = Content(reference_title(found[0], name, marks))
        self.update(reference_content(found[0], ours, self.content_size.width, marks))

    def _any_published(self, page: Page) -> bool:
        """Whether the panel may be needed for a row of the page; it is kept as high as it then is
        while the cursor moves from row to row."""
        if (catalogue := self.app.catalogue) is None:
            return True
        if self._read is None or self._read[0] is not page or self._read[1] is not catalogue:
            places = {row.place for row in page.rows}
            tables = catalogue.references.values()
            found = any(references_of(tables, *place) for place in places)
            self._read = page, catalogue, found
        return self._read[2]
