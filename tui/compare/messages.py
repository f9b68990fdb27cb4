"""What the comparison's threads tell their screen."""

from __future__ import annotations

from textual.message import Message

from tui.compare.page import Leaders, Page


class PageRead(Message):
    """A page came from the store."""

    def __init__(self, page: Page, *, follow: bool) -> None:
        super().__init__()
        self.page = page
        self.follow = follow


class LeadersRead(Message):
    """The best figures came from the store."""

    def __init__(self, found: Leaders) -> None:
        super().__init__()
        self.found = found


class ReadFailed(Message):
    """The store can't be read; says why."""

    def __init__(self, sentence: str) -> None:
        super().__init__()
        self.sentence = sentence
