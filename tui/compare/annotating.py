"""Notes and tags of the comparison's runs, asked for in dialogs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual.screen import Screen

from tui.shell.reading import Reading

if TYPE_CHECKING:
    from tui.compare.reading import Written
    from tui.lab import Lab


class Annotating:
    """Asks for notes and tags in dialogs that begin with what is stored, and writes them.

    Args:
        screen: over which the dialogs stand.
        fail: shows why nothing can be read.
    """

    def __init__(self, app: Lab, screen: Screen[None], fail: Callable[[str], object]) -> None:
        self._app = app
        self._for_note = Reading(screen, self._ask_note, fail)
        self._for_tags = Reading(screen, self._ask_tags, fail)

    def note(self, run: str) -> None:
        """Ask for a note about a run."""
        self._read(self._for_note, [run])

    def tags(self, runs: Sequence[str]) -> None:
        """Ask for tags of some runs."""
        self._read(self._for_tags, runs)

    def _read(self, reading: Reading[list[Written]], runs: Sequence[str]) -> None:
        location = self._app.location

        def read() -> list[Written]:
            from tui.compare.reading import read_written

            return read_written(location, runs)

        reading.ask(read, subject=tuple(runs))

    def _ask_note(self, written: list[Written]) -> None:
        from tui.results.note import NoteScreen

        def answered(note: str | None) -> None:
            if note is not None:
                self._app.request(partial(write, note))

        def write(note: str) -> None:
            from engine.store.requests import set_note

            set_note(self._app.location, written[0].run, note)

        if written:
            self._app.push_screen(NoteScreen(written[0].note), answered)

    def _ask_tags(self, written: list[Written]) -> None:
        from tui.compare.tags import TagsScreen

        runs = [each.run for each in written]
        if not runs:
            return
        common = [tag for tag in written[0].tags if all(tag in each.tags for each in written)]

        def answered(new: tuple[str, ...] | None) -> None:
            if new is not None:
                self._app.request(partial(write, new))

        def write(new: tuple[str, ...]) -> None:
            from engine.store.requests import change_tags

            gone = [tag for tag in common if tag not in new]
            change_tags(self._app.location, runs, new, gone)

        self._app.push_screen(TagsScreen(common, len(runs)), answered)
