"""The published figures of the cell under the cursor, below the comparison."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from textual.content import Content

from engine.analysis.comparison import Value
from engine.analysis.reference import ReferenceOfCell, references_of
from tui.compare.page import Line, Page
from tui.results.published import reference_content, reference_title
from tui.shell.text import TITLE, plain
from tui.widgets.text_box import TextBox

if TYPE_CHECKING:
    from tui.lab import Lab


class ReferencePanel(TextBox):
    """Published figures beside ours."""

    app: Lab

    def __init__(self) -> None:
        super().__init__(id="reference")
        self._known: dict[tuple[str, str, int], list[ReferenceOfCell]] = {}

    def forget(self) -> None:
        """The configuration was read anew."""
        self._known.clear()

    def show(self, line: Line | None, page: Page | None) -> None:
        """The figures of a line's cell beside its own, or nothing."""
        if line is None or page is None or not self.display:
            self.border_title = None
            self.update("")
            return
        model, dataset, length = line.of_cell
        name = plain(f"{model} × {dataset} × {length}", 2 * TITLE)
        found = self._references_of(model, dataset, length)
        if not found:
            self.border_title = Content(name)
            self.update(Content.styled("No published figures for this cell.", "$text-muted"))
            return
        self.border_title = Content(reference_title(found[0], name))
        ours = figures_of(line, page)
        self.update(reference_content(found[0], ours, self.content_size.width))

    def _references_of(self, model: str, dataset: str, length: int) -> list[ReferenceOfCell]:
        catalogue = self.app.catalogue
        if catalogue is None:
            return []
        cell = (model, dataset, length)
        if cell not in self._known:
            self._known[cell] = references_of(catalogue.references.values(), *cell)
        return self._known[cell]


def figures_of(line: Line, page: Page) -> Mapping[str, Value]:
    """A run's figures, or the means of a cell, by the store's column names."""
    if line.run is not None:
        return line.run
    spreads = page.figures.get(line.cell, {})
    return {name: spread.mean for name, spread in spreads.items()}
