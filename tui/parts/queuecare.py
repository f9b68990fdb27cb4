"""Seeing to it that a supervisor works on what waits."""

from __future__ import annotations

from tui.lab import Lab
from tui.shell.reading import Reading


class QueueCare:
    """Starts a supervisor where none lives, and tells once why one can't be started."""

    def __init__(self, app: Lab) -> None:
        self._app = app
        self._problem = ""
        self._caring: Reading[None] = Reading(app, lambda _: None, self._failed)

    def look(self) -> None:
        """Look in a thread whether a supervisor lives, and start one otherwise."""
        self._caring.ask(self._ensure)

    def _ensure(self) -> None:
        from engine.supervisor.start import ensure_supervisor  # not before the first paint

        ensure_supervisor(self._app.location, self._app.config_dir)

    def _failed(self, problem: str) -> None:
        if problem != self._problem:
            self._problem = problem
            self._app.notify(f"The queue is not being worked on: {problem}", severity="error")
