"""Suites from the Launch screen: save what is selected as one, and choose one to load."""

from __future__ import annotations

from pathlib import Path

from textual.content import Content

from engine.config import Catalogue, load_catalogue
from engine.config.suites import save_suite, suite_yaml
from engine.order import Order
from engine.planning import order_suite
from engine.spec import Suite
from tui.dialogs.saved import ChooseScreen, SaveScreen
from tui.lab import Lab
from tui.shell.text import TITLE, count, plain


class _SuiteSaving:
    """An order that is saved as a suite: a `tui.dialogs.saved.Saving`."""

    kind, folder, with_title = "suite", "suites", True

    def __init__(self, app: Lab, catalogue: Catalogue, order: Order) -> None:
        self._app, self._catalogue, self._order = app, catalogue, order
        self.name = order.suite or ""

    def _suite(self, name: str, title: str) -> Suite:
        return order_suite(self._catalogue, self._order, name, title)

    def yaml(self, name: str, title: str) -> str:
        return suite_yaml(self._suite(name, title))

    def taken(self, name: str) -> bool:
        return name in self._catalogue.suites

    def write(self, name: str, title: str, replace: bool) -> Path:
        suite = self._suite(name, title)
        path = save_suite(self._catalogue, suite, self._app.config_dir, replace)
        self._catalogue = load_catalogue(self._app.config_dir, self._app.model_paths)
        return path

    def written(self) -> None:
        self._app.take_catalogue(self._catalogue)


def save_suite_screen(app: Lab, catalogue: Catalogue, order: Order) -> SaveScreen:
    """Make the dialog in which an order is saved as a suite."""
    return SaveScreen(_SuiteSaving(app, catalogue, order))


def load_suite_screen(catalogue: Catalogue, chosen: str | None) -> ChooseScreen:
    """Make the dialog in which a suite is chosen; ``chosen`` is under the cursor at first."""
    suites = catalogue.suites.values()
    return ChooseScreen("suite", [(each.name, _line(catalogue, each)) for each in suites], chosen)


def _line(catalogue: Catalogue, suite: Suite) -> Content:
    runs = catalogue.run_count(suite)
    return Content.assemble(
        (plain(suite.name, TITLE), "bold"),
        (f"  {count(runs, 'run')}\n", "$accent"),
        (f"  {plain(suite.title, 68)}", "$text-muted"),
    )
