"""``seqbench logs``: what a run's workers wrote, and what its journal says."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import click

from engine.files.regular import open_regular
from engine.lifecycle import UNDER_WAY
from engine.store.database import StoreConnection
from engine.store.queries import get_run, resolve_run
from engine.store.series import epochs, events
from tui.cli import completion
from tui.cli.session import Session, note, pass_session, say_while_read
from tui.shell.events import journal_lines, last_words

POLL_SECONDS = 0.3
PIECE = 64 * 1024
"""Bytes of a line that are read at once; `say_while_read` shows less of it."""


@click.command()
@click.argument("name", metavar="RUN", shell_complete=completion.runs())
@click.option("-f", "--follow", is_flag=True, help="Follow until the run has ended, or ctrl+c.")
@pass_session
def logs(session: Session, name: str, follow: bool) -> None:
    """Print a run's log.
     It has what Live shows: the stdout and stderr of the run's workers, one attempt after the
    other, or if they wrote nothing, how each attempt and epoch went; then the newest attempt's
    warnings and how it ended.
    """
    with session.reader() as connection:
        run = resolve_run(connection, name)
        path = session.location.folder(run.id).log
        offset, said = 0, (0, -1)
        while True:
            newest = get_run(connection, run.id)
            ended = newest is None or newest.state not in UNDER_WAY
            # Read after the state, so that the last lines are not missed.
            offset = _print_from(path, offset, torn=ended or not follow)
            said = _print_journal(connection, run.id, said, written=bool(offset))
            if not follow or ended:
                break
            time.sleep(POLL_SECONDS)
        if follow:
            note(f"{run.id} is {newest.state if newest else 'deleted'}.")
        elif not offset and said == (0, -1):
            note(f"{run.id} has written no log. {run.message or ''}")


def _print_journal(
    connection: StoreConnection, run: str, said: tuple[int, int], *, written: bool
) -> tuple[int, int]:
    """Print what of the journal belongs to the log and stands behind a place; return the last.

    Args:
        written: whether the workers wrote anything.
    """
    lines = journal_lines(events(connection, run), epochs(connection, run))
    for line in last_words(lines) if written else lines:
        if line.place > said:
            say_while_read(line.text)
    return max(said, max((line.place for line in lines), default=said))


def _print_from(path: Path, offset: int, *, torn: bool) -> int:
    """Print the lines from a byte on; return the byte to go on from.

    Args:
        torn: also a last line that isn't ended.
    """
    for head, size, whole in _lines(path, offset):
        if torn or whole:
            say_while_read(head.decode(errors="replace").rstrip("\r\n"))
            offset += size
    return offset


def _lines(path: Path, offset: int) -> Iterator[tuple[bytes, int, bool]]:
    """Of each line its beginning, its bytes, and whether it is ended; in bounded memory."""
    try:
        with open_regular(path) as file:
            file.seek(offset)
            while head := file.readline(PIECE):
                size, last = len(head), head
                while not last.endswith(b"\n") and (last := file.readline(PIECE)):
                    size += len(last)
                yield head, size, last.endswith(b"\n")
    except FileNotFoundError:
        return
