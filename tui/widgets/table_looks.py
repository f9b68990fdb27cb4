"""The styles of a table's parts, looked up once."""

from __future__ import annotations

from rich.style import Style
from textual.widget import Widget

from tui.shell.states import rich_style

_PARTIAL = {"muted", "best", "strong", "rule", "mark"}
"""Components that colour the text and leave the ground as it is."""


class TableLooks:
    """Rich styles of a widget's components ``table--…``, kept until its style sheet changes."""

    def __init__(self, widget: Widget) -> None:
        self._widget = widget
        self._known: dict[tuple[str, ...], Style] = {}

    def clear(self) -> None:
        """Forget the styles, as the style sheet or the theme changed."""
        self._known.clear()

    def style(self, *names: str) -> Style:
        """Lay components over each other; ``row`` is the widget itself."""
        found = self._known.get(names)
        if found is None:
            found = Style.null()
            for name in names:
                found += self._component(name)
            self._known[names] = found
        return found

    def tone(self, tone: str) -> Style:
        """Look up the style of a cell's tone: a component, or a state of a run."""
        if not tone.startswith("state-"):
            return self.style(tone)
        if (tone,) not in self._known:
            self._known[tone,] = rich_style(self._widget.app, tone)
        return self._known[tone,]

    def _component(self, name: str) -> Style:
        if name == "row":
            return self._widget.rich_style
        return self._widget.get_component_rich_style(f"table--{name}", partial=name in _PARTIAL)
