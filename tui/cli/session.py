"""What the commands share: where the store and the configuration are, and how to say things."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from engine.config import Catalogue
    from engine.store.database import StoreConnection
    from engine.store.location import StoreLocation


@dataclass
class Session:
    """The options before the command, and what they lead to."""

    db: Path | None = None
    config_dir: Path | None = None

    @cached_property
    def location(self) -> StoreLocation:
        from engine.store.location import store_location

        return store_location(self.db)

    @cached_property
    def catalogue(self) -> Catalogue:
        """Raises `ConfigError`."""
        from engine.config import load_catalogue

        return load_catalogue(self.config_dir)

    @property
    def has_store(self) -> bool:
        """Whether there is one, or run folders to make it from."""
        return self.location.db.exists() or any(self.location.folders())

    @contextmanager
    def reader(self) -> Iterator[StoreConnection]:
        """A connection for reading; sees to it that the queue is worked on. Raises `StoreError`."""
        from engine.store.connect import bring_up_to_date, connect_reader

        if self.has_store:
            bring_up_to_date(self.location)
        with closing(connect_reader(self.location)) as connection:
            self.look_after_queue(connection)
            yield connection

    def look_after_queue(self, connection: StoreConnection) -> None:
        """Start a supervisor if there is work for one and none lives.

        Every command that opens the store comes by here, and so heals a supervisor that was
        killed.
        """
        from engine.store.transitions import work_left

        if work_left(connection):
            from engine.supervisor.start import ensure_supervisor

            ensure_supervisor(self.location, self.config_dir)


pass_session: Callable[[Callable[..., Any]], Callable[..., Any]] = click.make_pass_decorator(
    Session, ensure=True
)

json_option = click.option("--json", "as_json", is_flag=True, help="For programs: JSON on stdout.")


class Listed(click.ParamType[tuple[str, ...]]):
    """Names with commas between; the option may be given more than once."""

    def __init__(self, name: str) -> None:
        self.name = name

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        parts = tuple(part.strip() for part in str(value).split(","))
        if not all(parts):
            problem = f"{value!r} has an empty place: write a,b without a comma at an end."
            self.fail(problem, param, ctx)
        return parts


def flat(values: Sequence[Sequence[Any]]) -> list[Any]:
    """All values of a `Listed` option given several times, each once, in order."""
    return list(dict.fromkeys(value for part in values for value in part))


def say(text: str = "") -> None:
    """One line of result. Terminal controls in it are taken out, and its length is bounded."""
    from tui.shell.text import plain

    click.echo(plain(text))


def note(text: str) -> None:
    """One line for the person who waits, on stderr."""
    from tui.shell.text import plain

    click.echo(plain(text), err=True)


def paused(why: str) -> str:
    """What is said of a queue that is paused."""
    return f"The queue is paused. {why} `seqbench resume` lets it go on."


def say_json(value: object) -> None:
    """The result for a program. Escapes everything but ASCII, so that no text acts."""
    click.echo(json.dumps(value, indent=2, allow_nan=False))


def say_table(headings: Sequence[str], rows: Sequence[Sequence[object]], right: str = "") -> None:
    """Aligned columns; ``right`` names the headings (blanks between) that align to the right."""
    from rich.cells import cell_len

    from tui.shell.text import PARAGRAPH, plain

    texts = [[plain(str(cell), PARAGRAPH) for cell in row] for row in (headings, *rows)]
    widths = [max(cell_len(row[i]) for row in texts) for i in range(len(headings))]
    to_right = [heading in right.split() for heading in headings]
    for row in texts:
        cells = [
            f"{' ' * (width - cell_len(cell))}{cell}"
            if at_right
            else f"{cell}{' ' * (width - cell_len(cell))}"
            for cell, width, at_right in zip(row, widths, to_right, strict=True)
        ]
        click.echo("  ".join(cells).rstrip())


def on_terminal() -> bool:
    """Whether a person watches stderr, so that a line may be redrawn."""
    return sys.stderr.isatty()
