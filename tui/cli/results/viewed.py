"""What ``seqbench compare`` takes from a saved view: all that isn't said on the command line."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import click
from click.core import ParameterSource

from engine.analysis.baseline import run_of_baseline, with_baseline
from engine.analysis.columns.offered import chosen_columns
from engine.analysis.comparison import Row
from engine.analysis.views import find_view
from engine.errors import UsageError
from engine.store.queries import resolve_run
from tui.cli.session import Session, note


@dataclass(frozen=True, slots=True)
class Viewed:
    """Options of ``seqbench compare`` that a view may give."""

    filter: str
    aggregate: str
    sort: str | None
    by_cell: bool
    imported: bool
    baseline: str
    columns: tuple[str, ...] | None = None
    """The view's columns; None to show what is usual, or what ``--columns`` says."""


def viewed(session: Session, name: str, options: Viewed, *, alone: bool) -> Viewed:
    """Return the options with what the view of that name gives and the command line doesn't.

    Args:
        alone: whether runs or cells are asked for, and no table that has its own rows.

    Raises:
        ConfigError, UsageError: as `engine.analysis.views.find_view`.
    """
    view = find_view(name, session.config_dir)
    typed = _typed()

    def taken(option: str) -> bool:
        return option not in typed

    found = options
    if taken("filter_"):
        found = replace(found, filter=view.filter)
    if taken("aggregate") and alone:
        found = replace(found, aggregate=view.aggregate)
    if not alone:
        return found
    found = replace(found, by_cell=found.by_cell or view.by_cell)
    found = replace(found, imported=found.imported or (view.imported and found.by_cell))
    if taken("sort"):
        found = replace(found, sort=view.sort)
    if taken("baseline"):
        found = replace(found, baseline=view.baseline)
    if taken("columns_") and taken("wide"):
        found = replace(found, columns=chosen_columns(view.columns))
    return found


def _typed() -> Collection[str]:
    """Name the parameters of the command that are given on the command line."""
    context = click.get_current_context()
    source = context.get_parameter_source
    return {name for name in context.params if source(name) is ParameterSource.COMMANDLINE}


def beside_baseline(
    session: Session,
    con: sqlite3.Connection,
    rows: Sequence[Row],
    asked: str,
    aggregate: str,
    *,
    cells: bool,
    strict: bool,
) -> list[Row]:
    """Put the baseline first and differences to it beside the figures; says so, or why not.

    Args:
        asked: the run, as much of its id as tells it from others, or a cell's name.
        strict: whether a run that isn't in the store is a mistake, as it was asked for here.

    Raises:
        UsageError: there is no such run, if ``strict``.
    """
    try:
        run = run_of_baseline(con, asked) or resolve_run(con, asked).id
    except UsageError as error:
        if strict:
            raise
        note(f"No differences are shown: {error}")
        return list(rows)
    catalogue = session.catalogue_if_valid
    found = with_baseline(con, rows, run, aggregate, catalogue, cells=cells)
    if found is None:
        note(f"No differences are shown: no run of the cell of {run} is done.")
        return list(rows)
    note(
        f"Differences are to {'the cell of ' if cells else ''}{run}, which comes first. "
        "Whether one is shown to be a difference, --pairs says."
    )
    return found
