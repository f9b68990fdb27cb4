"""What is remembered of Launch for each store: the form, columns that were added, and the rows and
columns of the grid, which are shown before the configuration is read if that is unchanged."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tui.launch.data_columns import DataColumns
from tui.launch.form import LaunchForm
from tui.launch.grid.cells import Column, Row
from tui.launch.grid.grid import CellGrid
from tui.shell.presence import topic_of
from tui.shell.reading import Reading
from tui.shell.remembered import keep, recall
from tui.shell.stamps import is_current

if TYPE_CHECKING:
    from engine.config import Catalogue
    from tui.lab import Lab


class KeptChoices:
    """Restores grid, form and columns as they were when the app was left, and saves their changes.

    Args:
        app: with the store that they are of.
        grid: shows the rows and columns.
        form: what is typed.
        data: the columns.
    """

    def __init__(self, app: Lab, grid: CellGrid, form: LaunchForm, data: DataColumns) -> None:
        self._app, self._grid, self._form, self._data = app, grid, form, data
        self._topic = topic_of("launch", app.location)
        self._content = recall(self._topic)
        self._keeping = Reading[None](grid, lambda _: None, lambda _: None)

    def restore_grid(self) -> bool:
        """Show rows and columns before the configuration is read, if it is unchanged."""
        if not is_current(self._content.get("configuration"), self._app.config_dir):
            return False
        try:
            rows = [Row(str(m), str(title), int(n)) for m, title, n in self._content["rows"]]
            names = list(map(str, self._content["datasets"]))
        except (KeyError, TypeError, ValueError):
            return False
        self._data.before = frozenset(names)
        self._grid.set_layout(rows, [Column(name) for name in names])
        return True

    async def restore_form(self, catalogue: Catalogue) -> None:
        """Build the form with what was typed, and give data sets their columns."""
        form, columns = self._content.get("form"), self._content.get("columns")
        self._data.want(map(str, columns) if isinstance(columns, list) else ())
        await self._form.build(catalogue, form if isinstance(form, dict) else {})

    def keep(self) -> None:
        """Keep what has changed, in a thread; a form with a mistake isn't kept."""
        rows, columns = self._grid.rows_and_columns
        content = {
            "store": str(self._app.location.db),
            "form": self._form.content(),
            "columns": sorted(self._data.wanted),
            "rows": [[row.model, row.title, row.length] for row in rows],
            "datasets": [column.dataset for column in columns],
            "configuration": self._app.configuration,
        }
        if content != self._content and not self._form.problem:
            self._content = content
            self._keeping.ask(partial(keep, self._topic, content))
