"""Telling the user, when the app is opened, what ended since they last acted.

What reads the store, and the screen, are imported after the first paint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.lab import Lab
from tui.shell.presence import Presence

if TYPE_CHECKING:
    from tui.dialogs.news import News

REST_SECONDS = 1.0
"""Seconds without a key or click after which a dialog may open by itself."""


class Absence:
    """What ended in the user's absence.

    Attributes:
        news: what ended, once it is read; None if nothing did.
    """

    def __init__(self, app: Lab, presence: Presence) -> None:
        self._app, self._presence = app, presence
        self.news: News | None = None

    def look_back(self) -> None:
        """Read in a thread what ended, and show it if anything did."""
        self._app.run_worker(self._read, group="since", thread=True)

    def _read(self) -> None:
        from tui.dialogs.news import read_news

        app = self._app
        if (news := read_news(app.location, self._presence.recall(), app.catalogue)) is not None:
            self._app.call_later(self._tell, news)

    def _tell(self, news: News) -> None:
        from tui.dialogs.since import summary

        self.news = news
        at_rest = self._presence.idle_seconds() > REST_SECONDS
        if len(self._app.screen_stack) == 1 and at_rest:
            self.show()
        else:  # the user opened something already, or would type the next key into the dialog
            self._app.notify(f"Since you left: {summary(news.counts)}")

    def show(self) -> None:
        """Show what ended, or say that nothing did."""
        from tui.dialogs.since import SinceScreen

        if self.news is not None:
            self._app.push_screen(SinceScreen(self.news))
        else:
            self._app.notify("Nothing finished since you left.")
