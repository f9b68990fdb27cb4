"""Saved views of the comparison: filter, order, columns, grouping and baseline under a name.

A view is a file ``views/NAME.yaml`` of the user's configuration, as suites are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from engine.analysis.columns.definitions import SORT, Aggregate
from engine.analysis.columns.offered import DEFAULT, chosen_columns, sort_column
from engine.config.layers import config_layers, invalid_name, read_entries, save_entry
from engine.errors import UsageError, did_you_mean, shown
from engine.spec.strict import Name, Strict
from engine.store.compare.filter_sql import conditions
from engine.validation import InvalidError, validate
from engine.yamlfile import to_yaml

_FOLDER, _KIND = "views", "view"


class SavedView(Strict):
    """What the comparison shows, under a name."""

    name: Name
    filter: str = ""
    """What a run must have, in the language of docs/queries.md."""
    sort: str = f"{SORT}:desc"
    """A column, and ``:asc`` or ``:desc``."""
    columns: tuple[str, ...] = DEFAULT
    """Names of columns and presets, beside the columns that are always shown."""
    by_cell: bool = False
    imported: bool = False
    """Whether cells are made of imported runs too."""
    aggregate: Aggregate = "best"
    """How epochs become one value."""
    baseline: str = ""
    """Id of the run that differences are shown to, or with ``by_cell`` those to its cell; or the
    name of a cell (`engine.cell`), whichever runs it has. Empty for none."""


def saved_view(content: Mapping[str, Any]) -> SavedView:
    """Make a view of its settings by name.

    Raises:
        UsageError: one of them is invalid; says which.
    """
    try:
        view = validate(SavedView, content)
    except InvalidError as error:
        if error.key_path == ("name",):
            raise invalid_name(_KIND, str(content.get("name", ""))) from None
        raise UsageError(error.sentence) from None
    for check in _CHECKS.values():
        check(view)
    return view


def load_views(extra: Path | None = None) -> dict[str, SavedView]:
    """Read the saved views, by name.

    Args:
        extra: the value of ``--config-dir``.

    Raises:
        ConfigError: names file, line and key, and what is wrong.
    """
    loaded = read_entries(config_layers(extra), _FOLDER, SavedView)
    for view, document in loaded.values():
        for key, check in _CHECKS.items():
            try:
                check(view)
            except UsageError as error:
                raise document.error((key,), str(error)) from None
    return {name: view for name, (view, _) in loaded.items()}


def find_view(name: str, extra: Path | None = None) -> SavedView:
    """Read the saved view of that name.

    Raises:
        ConfigError: as `load_views`.
        UsageError: there is no such view; says the nearest.
    """
    views = load_views(extra)
    if name not in views:
        raise UsageError(f"there is no view {shown(name)}: {did_you_mean(name, views)}")
    return views[name]


def view_yaml(view: SavedView) -> str:
    """Write a view as YAML, which reads back as an equal view."""
    content = view.model_dump()
    needless = ("filter", "by_cell", "imported", "baseline")
    return to_yaml({key: value for key, value in content.items() if value or key not in needless})


def save_view(view: SavedView, extra: Path | None = None, replace: bool = False) -> Path:
    """Write a view to the user's configuration, and return its file.

    Raises:
        EntryExistsError: there is one of that name, without ``replace``.
        UserError: another layer has a view of that name, or the file can't be written.
    """
    return save_entry(extra, _FOLDER, _KIND, view.name, view_yaml(view), replace)


_CHECKS: dict[str, Callable[[SavedView], object]] = {
    "filter": lambda view: conditions(view.filter, view.aggregate),
    "sort": lambda view: sort_column(view.sort, view.aggregate),
    "columns": lambda view: chosen_columns(view.columns),
}
"""What a setting must be, beyond its type; raises `UsageError`."""
