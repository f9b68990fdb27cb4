"""``seqbench export``: runs for another machine, or for other programs."""

from __future__ import annotations

from pathlib import Path

import click

from engine.errors import UsageError, did_you_mean
from engine.interchange.epochs import write_epochs
from engine.interchange.pack import pack
from engine.store.database import StoreConnection
from tui.cli import completion
from tui.cli.progress import progress
from tui.cli.session import Session, filter_option, note, pass_session, where_option
from tui.shell.text import count

FORMATS = ("archive", "tensorboard", "csv", "parquet")
SHOWN = 5
"""Runs of which it is said that they are left out, one by one."""


@click.command()
@click.option(
    "--suite",
    metavar="NAME",
    shell_complete=completion.suites,
    help="The runs that were launched with this suite.",
)
@filter_option
@where_option
@click.option(
    "--format",
    "format_",
    metavar="archive|tensorboard|csv|parquet",
    help="[default: by the extension of -o]",
)
@click.option("--checkpoints", is_flag=True, help="Include weights and checkpoints in an archive.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    metavar="PATH",
    help="A file, such as suite.tar.zst or epochs.csv; for tensorboard a folder.",
)
@pass_session
def export(
    session: Session,
    suite: str | None,
    filter_: str,
    format_: str | None,
    checkpoints: bool,
    output: Path,
) -> None:
    """Export runs as an archive, or their epochs for other programs.
     An archive has the complete runs, for `seqbench import` on another machine. Epochs become
    TensorBoard event files, CSV or Parquet (docs/interchange.md).
    """
    chosen = format_ or _by_name(output)
    if chosen not in FORMATS:
        raise UsageError(f"there is no format {chosen!r}: {did_you_mean(chosen, FORMATS)}")
    if checkpoints and chosen != "archive":
        raise UsageError("--checkpoints is for archives: name one with -o suite.tar.zst.")
    if suite is not None and '"' in suite:
        raise UsageError("suite names have no quotation marks.")
    words = f'suite="{suite}" {filter_}' if suite is not None else filter_
    with session.reader() as connection:
        if chosen == "archive":
            _archive(session, connection, words, checkpoints, output)
        else:
            _epochs(connection, words, chosen, output)


def _by_name(output: Path) -> str:
    name = output.name.lower()
    if name.endswith((".csv", ".parquet")):
        return name.rpartition(".")[2]
    if name.endswith((".tar.gz", ".tgz", ".tar.zst")):
        return "archive"
    raise UsageError(
        f"{output.name} doesn't say which format: end the name in .tar.zst, .tar.gz, .csv or "
        ".parquet, or give --format tensorboard for a folder."
    )


def _archive(
    session: Session, connection: StoreConnection, words: str, checkpoints: bool, output: Path
) -> None:
    with progress("Packing runs") as told:
        packed = pack(
            connection,
            session.location,
            output,
            filter=words,
            weights=checkpoints,
            on_progress=told,
        )
    for sentence in packed.left_out[:SHOWN]:
        note(sentence)
    if len(packed.left_out) > SHOWN:
        note(f"… and {len(packed.left_out) - SHOWN} more are left out.")
    if not packed.runs:
        raise UsageError("no run that has ended matches: nothing was written.")
    size = packed.bytes / 2**20
    note(f"Written {count(len(packed.runs), 'run')} to {output} ({size:,.1f} MiB).")


def _epochs(connection: StoreConnection, words: str, format_: str, output: Path) -> None:
    if format_ == "tensorboard":
        from engine.interchange.eventfolders import write_event_folders  # needs an extra

        with progress("Writing runs") as told:
            runs = write_event_folders(connection, output, filter=words, on_progress=told)
        done = f"Written {count(runs, 'run')} to {output}: tensorboard --logdir {output}."
    else:
        with progress("Writing epochs") as told:
            rows = write_epochs(connection, output, format_, filter=words, on_progress=told)
        runs, done = rows, f"Written {count(rows, 'epoch')} to {output}."
    if not runs:
        raise UsageError("no run that matches has an epoch: nothing was written.")
    note(done)
