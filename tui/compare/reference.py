"""The published figures of the cell under the cursor, below the comparison."""

from __future__ import annotations

from textual.content import Content

from engine.analysis.reference import references_of
from tui.compare.page import CompareRow, Page
from tui.lab import Lab
from tui.results.published import reference_content, reference_title
from tui.shell.text import TITLE, plain
from tui.widgets.text_box import TextBox


class ReferencePanel(TextBox):
    """Published figures beside ours."""

    app: Lab

    def __init__(self) -> None:
        super().__init__(id="reference")

    def show(self, row: CompareRow | None, page: Page | None) -> None:
        """Show the published figures of a row's cell beside its own, or nothing."""
        if row is None or page is None or not self.display:
            self.border_title = None
            self.update("")
            return
        model, dataset, length = row.place
        name = plain(f"{model} × {dataset} × {length}", 2 * TITLE)
        tables = self.app.catalogue.published.values() if self.app.catalogue else ()
        found = references_of(tables, model, dataset, length)
        if not found:
            self.border_title = Content(name)
            self.update(Content.styled("No published results for this cell.", "$text-muted"))
            return
        ours, marks = page.figures_of(row), page.marks_of(row)
        self.border_title = Content(reference_title(found[0], name, marks))
        self.update(reference_content(found[0], ours, self.content_size.width, marks))
