"""What is remembered of Launch for each store: the form, and columns that were added."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.dom import DOMNode

from tui.launch.data_columns import DataColumns
from tui.launch.form import LaunchForm
from tui.shell.presence import topic_of
from tui.shell.reading import Reading
from tui.shell.remembered import keep, recall

if TYPE_CHECKING:
    from engine.config import Catalogue
    from engine.store.location import StoreLocation


class KeptChoices:
    """Restores form and columns as they were when the app was left, and saves their changes.

    Args:
        owner: the screen.
        form: what is typed.
        data: the columns.
    """

    def __init__(self, owner: DOMNode, form: LaunchForm, data: DataColumns) -> None:
        self._form, self._data = form, data
        self._keeping = Reading[None](owner, lambda _: None, lambda _: None)

    async def restore(self, catalogue: Catalogue, location: StoreLocation) -> None:
        """Build the form with what was kept of a store."""
        kept = recall(topic_of("launch", location))
        form, columns = kept.get("form"), kept.get("columns")
        self._data.want(map(str, columns) if isinstance(columns, list) else ())
        await self._form.build(catalogue, form if isinstance(form, dict) else {})

    def keep(self, location: StoreLocation) -> None:
        """Keep form and columns, in a thread; a form with a mistake isn't kept."""
        if not self._form.problem:
            content = {
                "store": str(location.db),
                "form": self._form.content(),
                "columns": sorted(self._data.wanted),
            }
            self._keeping.ask(partial(keep, topic_of("launch", location), content))
