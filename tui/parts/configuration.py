"""Reading the configuration, and reading it again when it has changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from tui.lab import Lab
from tui.messages import CatalogueFailed, ModelsAwaited
from tui.shell.private import all_screens
from tui.shell.reading import Reading
from tui.shell.stamps import is_current, take_stamp

if TYPE_CHECKING:
    from engine.config import Catalogue


class Configuration:
    """Reads an app's configuration in a thread; the app takes it, or every screen is told why it
    can't be used."""

    def __init__(self, app: Lab) -> None:
        self._app = app
        self._reading = Reading(app, app.take_catalogue, self._failed)

    def read(self) -> None:
        """Read it for the first time."""
        self._reading.ask(self._load)

    def renew(self, fail: Callable[[str], object]) -> bool:
        """Read it again if it has changed; return whether it is being read.

        Args:
            fail: is given a sentence if it can't be used; then the earlier one stays.
        """
        app = self._app
        if app.catalogue is None or is_current(app.configuration, app.config_dir):
            return False

        def failed(sentence: str) -> None:
            app.configuration = None  # the one that is used is an older one
            fail(sentence)

        app.carry_out(self._load, app.take_catalogue, failed)
        return True

    def _load(self) -> Catalogue:
        from engine.config import config_layers, model_folders
        from engine.modelinfo.find import named_paths
        from tui.parts.catalogue import read_catalogue

        app = self._app
        # Before it is read: what changes meanwhile changes this.
        folders = [*config_layers(app.config_dir), *model_folders(app.config_dir)]
        paths = named_paths(app.model_paths)
        app.configuration = take_stamp([*folders, *paths], app.config_dir)
        tell = partial(app.call_later, self._await_models)
        return read_catalogue(app.config_dir, app.model_paths, tell)

    def _await_models(self, files: Sequence[str], rest: Catalogue | None) -> None:
        for screen in all_screens(self._app):
            screen.post_message(ModelsAwaited(files))
        if rest is not None and self._app.catalogue is None:
            self._app.take_catalogue(rest)

    def _failed(self, sentence: str) -> None:
        from tui.parts.warm import collect_garbage

        collect_garbage()
        self._app.catalogue_problem = sentence
        for screen in all_screens(self._app):
            screen.post_message(CatalogueFailed(sentence))
