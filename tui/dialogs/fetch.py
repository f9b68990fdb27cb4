"""A dialog that fetches a data set: first its cost, then a progress bar."""

from __future__ import annotations

import time
from threading import Event
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import ModalScreen
from textual.widgets import ProgressBar, Static

from engine.errors import UserError
from engine.spec import Dataset
from tui.shell.text import PARAGRAPH, TITLE, bytes_, duration, plain
from tui.widgets.dialog import Dialog
from tui.widgets.key_button import KeyButton

if TYPE_CHECKING:
    from engine.datasets.download import Progress

REPAINT_SECONDS = 0.2


class FetchScreen(ModalScreen[bool]):
    """Fetches a data set, and ends with whether it is here. ``at_once`` leaves out the question."""

    CSS_PATH = "fetch.tcss"
    BINDINGS = [  # noqa: RUF012
        Binding("enter,f,y", "fetch", "Fetch"),
        Binding("escape,n", "cancel", "Cancel"),
    ]

    AUTO_FOCUS = "Dialog"

    def __init__(self, dataset: Dataset, at_once: bool = False) -> None:
        super().__init__()
        assert dataset.archive is not None
        self._dataset = dataset
        self._archive = dataset.archive
        self._at_once = at_once
        self._cancelled = Event()
        self._busy = False
        self._painted = 0.0

    def compose(self) -> ComposeResult:
        host = urlsplit(self._archive.url).hostname or self._archive.url
        cost = (
            f"{plain(self._dataset.title, TITLE)}: {bytes_(self._archive.bytes)} from {plain(host)}"
        )
        keys = KeyButton("⏎", "Fetch", "fetch", main=True), KeyButton("esc", "Cancel", "cancel")
        with Dialog(f"Fetch {plain(self._dataset.name)}", *keys, scrolls=True):
            yield Static(cost, markup=False)
            if self._dataset.license:
                yield Static(plain(self._dataset.license, PARAGRAPH), id="licence", markup=False)
            yield ProgressBar(self._archive.bytes, id="bar", show_eta=False, show_percentage=True)
            yield Static("", id="progress", markup=False)
            yield Static("", id="problem", markup=False)

    def on_mount(self) -> None:
        if self._at_once:
            self.action_fetch()

    def on_unmount(self) -> None:
        """Stop the transfer, whatever closed the dialog."""
        self._cancelled.set()

    def action_fetch(self) -> None:
        """Start the transfer, or start it again."""
        if self._busy:
            return
        self._busy = True
        self._cancelled.clear()
        self.query_one("#progress", Static).update("connecting …")
        self._display_only("bar", "progress")
        self._fetch()

    def _display_only(self, *names: str) -> None:
        for name in ("bar", "progress", "problem", "fetch"):
            self.query_one(f"#{name}").display = name in names

    def action_cancel(self) -> None:
        """Stop the transfer, or close the dialog if none runs."""
        self._cancelled.set()
        if not self._busy:
            self.dismiss(False)

    @work(thread=True, group="fetch")
    def _fetch(self) -> None:
        from engine.datasets.download import fetch  # loads httpx: only to fetch

        try:
            fetch(self._dataset, self._progressed, self._cancelled.is_set)
        except (UserError, OSError) as error:
            self.call_later(self._ended, str(error))
        else:
            self.call_later(self._ended, "")

    def _progressed(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._painted >= REPAINT_SECONDS or progress.done >= progress.total:
            self._painted = now
            self.call_later(self._show, progress)

    def _show(self, progress: Progress) -> None:
        self.query_one(ProgressBar).update(total=progress.total, progress=progress.done)
        text = f"{bytes_(progress.done)} of {bytes_(progress.total)}"
        if progress.done and progress.seconds > 1:
            rate = progress.done / progress.seconds
            left = (progress.total - progress.done) / rate
            text += f" · {bytes_(rate)}/s · {duration(left)} left"
        self.query_one("#progress", Static).update(text)

    def _ended(self, problem: str) -> None:
        self._busy = False
        if not problem:
            self.app.notify(f"{self._dataset.name} is ready.")
            self.dismiss(True)
        elif self._cancelled.is_set():
            self.dismiss(False)
        else:
            self.query_one("#problem", Static).update(plain(problem, PARAGRAPH))
            self.query_one("#fetch", KeyButton).say("Try again")
            self._display_only("problem", "fetch")
