"""``seqbench logs``: what a run's workers wrote on stdout and stderr."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import click

from engine.files.regular import open_regular
from engine.lifecycle import UNDER_WAY
from engine.store.queries import get_run, resolve_run
from tui.cli.session import Session, note, pass_session, say_while_read

POLL_SECONDS = 0.3
PIECE = 64 * 1024
"""Bytes of a line that are read at once; `say_while_read` shows less of it."""


@click.command()
@click.argument("name", metavar="RUN")
@click.option("-f", "--follow", is_flag=True, help="Go on until the run has ended, or ctrl+c.")
@pass_session
def logs(session: Session, name: str, follow: bool) -> None:
    """Print a run's log.

    It has what the run's workers wrote on stdout and stderr, one attempt after the other.
    """
    with session.reader() as connection:
        run = resolve_run(connection, name)
        path = session.location.folder(run.id).log
        offset = _print_from(path, 0, torn=not follow)
        if not offset and not follow:
            note(f"{run.id} has written no log. {run.message or ''}")
        while follow:
            newest = get_run(connection, run.id)
            ended = newest is None or newest.state not in UNDER_WAY
            # Read after the state, so that the last lines are not missed.
            offset = _print_from(path, offset, torn=ended)
            if ended:
                note(f"{run.id} is {newest.state if newest else 'deleted'}.")
                return
            time.sleep(POLL_SECONDS)


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
