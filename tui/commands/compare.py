"""``seqbench compare``: runs side by side, for people and for programs."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click

from engine.errors import UserError
from tui.commands.session import Session, note, pass_session


@click.command()
@click.option(
    "--format", "format_", default="table", show_default=True, metavar="table|csv|md|json"
)
@click.option(
    "--aggregate",
    default="best",
    show_default=True,
    metavar="best|max|min|last|mean",
    help="How a run's epochs become one figure.",
)
@click.option("--sort", metavar="COL[:asc|desc]", help="[default: NDCG@10/test:desc]")
@click.option(
    "--filter",
    "filter_",
    default="",
    metavar="TEXT",
    help="Such as 'model:sasrec ndcg>0.16': see docs/queries.md.",
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="The first so many runs.")
@click.option("--by-cell", is_flag=True, help="Mean and deviation over seeds of what is done.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Write to a file instead of stdout."
)
@pass_session
def compare(
    session: Session,
    format_: str,
    aggregate: str,
    sort: str | None,
    filter_: str,
    limit: int | None,
    by_cell: bool,
    output: Path | None,
) -> None:
    """Compare runs under the reference table's column names.

    A test figure is that of the epoch chosen on validation, unless --aggregate says otherwise.
    """
    from engine.analysis import comparison
    from engine.analysis.export import FORMATS, format_rows
    from engine.errors import UsageError, did_you_mean

    if format_ not in FORMATS:
        raise UsageError(f"there is no format {format_!r}: {did_you_mean(format_, FORMATS)}")
    chosen = comparison.parse_aggregate(aggregate)
    name, descending = _order(sort or comparison.SORT)
    comparison.column(name, chosen)
    rows: list[comparison.Row] = []
    if session.has_store:
        with session.reader() as connection:
            rows = comparison.compare_rows(
                connection,
                aggregate=chosen,
                filter=filter_,
                sort=name,
                descending=descending,
                limit=limit,
            )
    if by_cell:
        rows = comparison.by_cell(rows)
    if not rows:
        note("No run matches." if filter_ else "There are no runs yet: see `seqbench run`.")
    if chosen != "best":
        note(f"Every figure is the {chosen}: {comparison.AGGREGATE_MEANING[chosen]}.")
    if not rows and format_ in ("table", "md") and output is None:
        return
    on_screen = output is None and sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if on_screen else None
    _put(format_rows(rows, format_, width=width), output)


def _order(sort: str) -> tuple[str, bool]:
    """The column, and whether the highest comes first."""
    name, colon, direction = sort.rpartition(":")
    if colon and direction.lower() in ("asc", "desc"):
        return name, direction.lower() == "desc"
    return sort, True


def _put(text: str, output: Path | None) -> None:
    if output is None:
        click.echo(text, nl=False)
        return
    from engine.atomic import write_atomically

    try:
        write_atomically(output, text)
    except OSError as error:
        raise UserError(f"{output} can't be written: {error.strerror}.") from None
    note(f"Written to {output}.")
