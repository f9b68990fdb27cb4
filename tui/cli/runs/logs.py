"""``seqbench logs``: what a run's workers wrote, and its journal in words."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import click

from engine.errors import RunError
from engine.files.regular import open_regular
from engine.lifecycle import UNDER_WAY
from engine.store.queries import get_run, resolve_run
from engine.store.series import epochs, events
from tui.cli import completion
from tui.cli.runs.following import kept_open
from tui.cli.session import Session, note, pass_session, say_while_read
from tui.shell.events import journal_lines
from tui.shell.log_follower import Written
from tui.shell.run_log import log_lines

POLL_SECONDS = 0.3
PIECE = 64 * 1024
"""Bytes of a line that are read at once; `say_while_read` shows less of it."""


@click.command()
@click.argument("name", metavar="RUN", shell_complete=completion.runs())
@click.option("-f", "--follow", is_flag=True, help="Follow until the run has ended, or ctrl+c.")
@pass_session
def logs(session: Session, name: str, follow: bool) -> None:
    """Print a run's log.
     It has what Live shows, in the order of time: the stdout and stderr of the run's workers, and
    of each attempt its start, epochs, warnings and end.
    """
    with kept_open(session) as current:
        run = resolve_run(current(), name)
        path = session.location.folder(run.id).log
        offset, said = 0, (0, -1)
        while True:
            connection = current()
            newest = get_run(connection, run.id)
            ended = newest is None or newest.state not in UNDER_WAY
            # Read after the state, so that the last lines are not missed, and the log last, so that
            # it is as long as the journal says.
            journal = journal_lines(events(connection, run.id), epochs(connection, run.id), said)
            written = Growth(path, offset, torn=ended or not follow)
            for line in log_lines(written, journal):
                say_while_read(line.text)
            offset, said = written.offset, journal[-1].place if journal else said
            if not follow or ended:
                break
            time.sleep(POLL_SECONDS)
        if follow:
            note(f"{run.id} is {newest.state if newest else 'deleted'}.")
        elif not offset and said == (0, -1):
            note(f"{run.id} has written no log. {run.message or ''}")


class Growth:
    """The lines of a log from a byte on, to go through once.

    Attributes:
        offset: the byte after the last line that was gone through.
    """

    def __init__(self, path: Path, offset: int, *, torn: bool) -> None:
        self._path, self.offset = path, offset
        self._torn = torn
        """Whether a last line counts that isn't ended."""

    def __iter__(self) -> Iterator[Written]:
        for head, size, whole in _lines(self._path, self.offset):
            if self._torn or whole:
                self.offset += size
                yield Written(self.offset, head.decode(errors="replace").rstrip("\r\n"))


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
    except OSError as error:
        raise RunError(f"{path} can't be read: {error.strerror}.") from None
