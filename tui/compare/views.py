"""Saved views on the Compare screen, and what is remembered of it for each store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from textual.content import Content

from engine.analysis.columns.offered import DEFAULT, chosen_columns, sort_column
from engine.analysis.views import SavedView, load_views, save_view, saved_view, view_yaml
from tui.compare.view import View
from tui.dialogs.saved import ChooseScreen, SaveScreen
from tui.lab import Lab
from tui.shell.text import TITLE, plain

_NONE = "There is no saved view yet: S saves what is shown."


def as_shown(saved: SavedView) -> View:
    """Return what a saved view shows."""
    column, descending = sort_column(saved.sort, saved.aggregate)
    return View(
        names=chosen_columns(saved.columns) or DEFAULT,
        aggregate=saved.aggregate,
        sorted_by=column.name,
        descending=descending,
        by_cell=saved.by_cell,
        imported=saved.imported,
        filter=saved.filter,
        baseline=saved.baseline,
    )


def as_saved(view: View, name: str) -> SavedView:
    """Return what is shown as a view to save. Raises `UsageError` if the name is invalid."""
    return saved_view(
        {
            "name": name,
            "filter": view.filter,
            "sort": f"{view.sorted_by}:{'desc' if view.descending else 'asc'}",
            "columns": view.names,
            "by_cell": view.by_cell,
            "imported": view.imported,
            "aggregate": view.aggregate,
            "baseline": view.baseline,
        }
    )


class _ViewSaving:
    """What is shown, to be saved as a view: a `tui.dialogs.saved.Saving`."""

    kind, folder, with_title = "view", "views", False

    def __init__(self, app: Lab, view: View, name: str, known: Sequence[str]) -> None:
        self.name = name
        self._app, self._view, self._known = app, view, known

    def yaml(self, name: str, title: str) -> str:  # noqa: ARG002 - views have none
        return view_yaml(as_saved(self._view, name))

    def taken(self, name: str) -> bool:
        return name in self._known

    def write(self, name: str, title: str, replace: bool) -> Path:  # noqa: ARG002
        return save_view(as_saved(self._view, name), self._app.config_dir, replace)

    def written(self) -> None:
        """Do nothing: views are read when they are asked for."""


class Views:
    """Saves what is shown as a view, and shows saved ones.

    Args:
        show: shows a view.
    """

    def __init__(self, app: Lab, show: Callable[[View], None]) -> None:
        self._app, self._show = app, show
        self._name = ""
        """The view that was saved or shown last."""

    def save(self, view: View) -> None:
        """Ask for a name, and save what is shown under it."""

        def ask(views: dict[str, SavedView]) -> None:
            saving = _ViewSaving(self._app, replace(view), self._name, list(views))
            self._app.push_screen(SaveScreen(saving), self._named)

        self._read(ask)

    def choose(self) -> None:
        """Offer the saved views, and show the one that is chosen."""

        def offer(views: dict[str, SavedView]) -> None:
            def chosen(name: str | None) -> None:
                if name is not None:
                    self._named(name)
                    self._show(as_shown(views[name]))

            if views:
                entries = [(name, _line(view)) for name, view in views.items()]
                self._app.push_screen(ChooseScreen("view", entries, self._name), chosen)
            else:
                self._app.notify(_NONE, timeout=4)

        self._read(offer)

    def _read(self, done: Callable[[dict[str, SavedView]], object]) -> None:
        self._app.read_to_open(partial(load_views, self._app.config_dir), done)

    def _named(self, name: str | None) -> None:
        self._name = name or self._name


def _line(view: SavedView) -> Content:
    rows = "one row per cell" if view.by_cell else "one row per run"
    parts = [rows, view.aggregate, f"by {view.sort}", view.filter or "all runs"]
    return Content.assemble(
        (plain(view.name, TITLE), "bold"), (f"\n  {plain(' · '.join(parts), 68)}", "$text-muted")
    )
