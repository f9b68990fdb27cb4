"""``seqbench published``: published results, with the protocol that each was measured under."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from engine.analysis.export import FORMATS
from engine.analysis.literature.figures import figures_of
from engine.analysis.literature.text import format_figures
from engine.config import ModelEntry
from engine.errors import UsageError, did_you_mean, shown
from engine.spec import Dataset
from tui.cli import completion
from tui.cli.output import terminal_width
from tui.cli.results.tables import put
from tui.cli.session import Session, note, pass_session


@click.command()
@click.option(
    "--model",
    metavar="NAME",
    shell_complete=completion.entries("models"),
    help="Only those of this model.",
)
@click.option(
    "--dataset",
    metavar="NAME",
    shell_complete=completion.entries("datasets"),
    help="Only those on this data set.",
)
@click.option("--metric", metavar="NAME", help="Only this metric, such as NDCG@10.")
@click.option(
    "--source",
    metavar="NAME",
    shell_complete=completion.entries("published"),
    help="Only those of this file in configs/published.",
)
@click.option(
    "--format",
    "format_",
    default="table",
    show_default=True,
    metavar="table|csv|md|json|latex",
    help="csv and json have everything.",
)
@click.option("--wide", is_flag=True, help="All columns, however wide the terminal is.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Write to a file instead of stdout."
)
@pass_session
def published(
    session: Session,
    model: str | None,
    dataset: str | None,
    metric: str | None,
    source: str | None,
    format_: str,
    wide: bool,
    output: Path | None,
) -> None:
    """List published results, with the protocol of each.

    Data set, split, seen items, L, loss and so on are what the source says; what it doesn't say is
    unknown. `seqbench compare --published` says which are comparable with your runs.
    """
    if format_ not in FORMATS:
        raise UsageError(f"there is no format {format_!r}: {did_you_mean(format_, FORMATS)}")
    catalogue = session.whole_catalogue
    tables = catalogue.published
    found = every = figures_of(tables.values())
    wanted = {
        "model": model and _named(catalogue.model, model),
        "dataset": dataset and _named(catalogue.dataset, dataset),
        "name": metric,
        "table": source,
    }
    for field, value in wanted.items():
        if value is None:
            continue
        found = [each for each in found if str(getattr(each, field)).lower() == value.lower()]
        if not found:
            known = dict.fromkeys(str(getattr(each, field)) for each in every)
            near = did_you_mean(value, known)
            raise UsageError(f"nothing is published for {shown(value)}: {near}")
    found = sorted(found, key=lambda each: (each.dataset, each.model, each.table))
    width = terminal_width() if output is None and not wide else None
    put(format_figures(found, format_, width=width), output)
    if format_ == "table" and output is None:
        for name in dict.fromkeys(each.table for each in found):
            if tables[name].note:
                note(f"{tables[name].title}: {tables[name].note}")


def _named(find: Callable[[str], ModelEntry | Dataset], name: str) -> str:
    """Return the name that an alias stands for; itself if it stands for none."""
    try:
        return find(name).name
    except UsageError:
        return name
