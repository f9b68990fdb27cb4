"""The field in which the comparison's filter is typed."""

from __future__ import annotations

from textual.widgets import Input

_HINT, _LONG_HINT = "/ filter", "/ filter, such as model:sasrec ndcg>0.1"


class FilterField(Input):
    """A field whose hint gives an example where that has room: cut, it would look like a filter
    that is there."""

    def __init__(self) -> None:
        super().__init__(placeholder=_HINT, id="filter", compact=True)

    def on_resize(self) -> None:
        room = self.content_size.width > len(_LONG_HINT)
        self.placeholder = _LONG_HINT if room else _HINT
