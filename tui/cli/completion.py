"""What a shell completes: names of runs, models and their settings, data sets, suites, launchers,
views and columns.

Nothing here may fail or wait: where something can't be read, nothing is offered.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from functools import partial

import click
from click.shell_completion import CompletionItem

from engine.errors import UserError
from engine.files.regular import read_regular
from engine.lifecycle import STATES, Action, allowing
from tui.cli.session import Session

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]
"""What click calls with what was typed so far."""

MOST_RUNS = 50
_NAME = re.compile(r"^name:\s*[\"']?([\w.-]+)", re.MULTILINE)
_WORD = re.compile(r"[\w./-]+")
"""Names that no shell splits."""


def runs(action: Action | None = None) -> Complete:
    """Complete the ids of runs, the newest first.

    Args:
        action: offer only runs that allow it.
    """
    return partial(_runs, action)


def _runs(
    action: Action | None,
    ctx: click.Context,
    _: click.Parameter,
    incomplete: str,
) -> list[CompletionItem]:
    from engine.store.database import open_database  # what only this needs

    states = STATES if action is None else allowing(action)
    sql = (
        "SELECT id, state FROM runs WHERE id >= ?1 AND id < ?1 || char(1114111)"
        " AND state IN (SELECT value FROM json_each(?2)) ORDER BY created DESC, id LIMIT ?3"
    )
    try:
        db = ctx.ensure_object(Session).location.db
        with closing(open_database(db, "ro")) as connection:
            found = connection.rows(sql, (incomplete, json.dumps(states), MOST_RUNS))
    except UserError:
        return []
    return [CompletionItem(run, help=state) for run, state in found]


def deleted_runs(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the ids of runs in the trash."""
    from engine.store.intake import trash  # pydantic

    try:
        found = trash.deleted_runs(ctx.ensure_object(Session).location)
    except (UserError, OSError):
        return []
    return _items((each.run for each in found), incomplete)


def entries(folder: str) -> Complete:
    """Complete the names of entries of the configuration.

    Args:
        folder: theirs in a layer, such as ``models``.
    """
    return partial(_entries, folder)


def _entries(
    folder: str, ctx: click.Context, _: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    from engine.config.layers import config_layers  # what only some commands load

    names: list[str] = []
    try:
        if folder == "models":
            names += _models(ctx.ensure_object(Session))
        for layer in config_layers(ctx.ensure_object(Session).config_dir):
            for file in sorted((layer / folder).glob("*.yaml")):
                # Read whole and checked it would take longer than anyone waits for a name.
                said = _NAME.search(read_regular(file).decode(errors="replace"))
                names.append(said[1] if said else file.stem)
    except (UserError, OSError):
        return []
    return _listed(names, incomplete)


def _models(session: Session) -> Iterator[str]:
    """Yield the names of models that come with seqbench, and of files that may define others."""
    from engine.config.layers import model_folders  # what only this needs
    from engine.modelinfo import builtin_infos
    from engine.modelinfo.find import model_files

    yield from builtin_infos()
    for info in model_files(model_folders(session.config_dir), session.model_paths):
        yield info.name


def settings(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the names of settings: of the models that were named before, if they are known, else
    of all."""
    from engine.config.layers import model_folders  # what only this needs
    from engine.modelinfo import builtin_infos, own_infos
    from engine.spec import Training

    session = ctx.ensure_object(Session)
    named = {name for names in ctx.params.get("models") or () for name in names}
    try:
        own = own_infos(model_folders(session.config_dir), session.model_paths, wait=False)
    except (UserError, OSError):
        own = {}
    known = {**builtin_infos(), **own}
    infos = [known[name] for name in named] if named and named <= known.keys() else known.values()
    keys = [key for info in infos for key in info.schema.get("properties", {})]
    if any(info.kind != "fitted" for info in infos):
        keys += Training.model_fields
    return _items((f"{key}=" for key in sorted(keys)), incomplete.replace("-", "_"))


def columns(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete short names of the comparison's columns, and of presets."""
    from engine.analysis.columns.offered import PRESETS, every_column
    from engine.analysis.floor import COLUMN
    from engine.store.compare.filter_sql import field_columns, fields

    offered = every_column("best")
    sources = {column.source for column in offered.values()}
    short = (
        name for name, source in field_columns().items() if name in fields() and source in sources
    )
    return _listed([*PRESETS, *short, COLUMN, *filter(_WORD.fullmatch, offered)], incomplete)


def _listed(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    """Complete the last of several names with commas between."""
    before, comma, last = incomplete.rpartition(",")
    there = before.split(",")
    left = (name for name in names if name not in there)
    return [CompletionItem(before + comma + name) for name in _beginning(left, last)]


def _items(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in _beginning(names, incomplete)]


def _beginning(names: Iterable[str], text: str) -> Iterator[str]:
    wanted = text.lower()
    return (name for name in dict.fromkeys(names) if name.lower().startswith(wanted))


models, datasets, suites, launchers, views = map(
    entries, ("models", "datasets", "suites", "launchers", "views")
)
