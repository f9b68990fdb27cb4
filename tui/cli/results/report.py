"""``seqbench report``: what ran, what came of it and what may be said of it, as one page."""

from __future__ import annotations

from pathlib import Path

import click

from engine.analysis.quality import parse_quality
from engine.errors import UsageError
from engine.report.formats import format_of
from tui.cli import completion
from tui.cli.progress import progress
from tui.cli.session import Session, filter_option, note, pass_session, where_option


@click.command()
@click.option(
    "--suite",
    metavar="NAME",
    shell_complete=completion.suites,
    help="Report on this suite, and on what it still lacks.",
)
@filter_option
@where_option
@click.option(
    "--metric",
    default="NDCG@10/test",
    show_default=True,
    metavar="COL",
    shell_complete=completion.columns,
    help="The quality: the column of a test metric, such as recall@50.",
)
@click.option(
    "--quality",
    default="ndcg@10=95%",
    show_default=True,
    metavar="METRIC=VALUE",
    help="Report the time to reach this on validation: recall@10=.13, or a share of the best.",
)
@click.option(
    *("-o", "--output"),
    type=click.Path(path_type=Path),
    help="report.html (one file) or report.md (with its plots next to it); otherwise Markdown on "
    "stdout.",
)
@pass_session
def report(
    session: Session,
    suite: str | None,
    filter_: str,
    metric: str,
    quality: str,
    output: Path | None,
) -> None:
    """Write the report: pivot, costs, trade-offs, statistics.
     HTML is one file that loads nothing from elsewhere. Without --suite or --filter it covers every
    run that is done.
    """

    # They need numpy and jinja2.
    from engine.analysis.pairs.text import ranked_metric
    from engine.report.gather import Wanted
    from engine.report.markdown import markdown
    from engine.report.write import make_report, write_report

    if output is not None:
        format_of(output)  # before seconds of work

    chosen = ranked_metric(metric)
    wanted = Wanted(
        suite=None if suite is None else session.catalogue.suite(suite),
        filter=filter_,
        metric=chosen.metric,
        masked=chosen.masked,
        k=chosen.k,
        quality=parse_quality(quality),
    )
    if not session.has_store:
        raise UsageError("there are no runs yet: see `seqbench run`.")
    with session.reader() as connection, progress("Making the report"):
        made = make_report(connection, session.location, session.whole_catalogue, wanted)
        written = None if output is None else write_report(made, output)
    if written is None:
        click.echo(markdown(made, None), nl=False)
        return
    beside = f", its plots to {written.plots}" if written.plots is not None else ""
    note(f"Written to {written.path}{beside}.")
