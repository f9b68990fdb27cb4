"""What the commands share: where the store and the configuration are, and how to say things.

Imported before it is known which command is meant: what only some of them need is imported in
the functions that need it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.cells import cell_len

from engine.errors import UserError
from engine.store.location import StoreLocation, store_location
from tui.cli.output import stdout_problem, terminal_width
from tui.cli.progress import progress
from tui.shell.text import PARAGRAPH, plain, shorten, wrap

if TYPE_CHECKING:
    from engine.config import Catalogue
    from engine.store.database import StoreConnection

LEAST_TEXT = 12
"""Cells of a column of texts that a narrow terminal leaves."""
FACT = 16
"""Cells of a fact's name."""


@dataclass
class Session:
    """The store and the configuration that the global options name."""

    db: Path | None = None
    config_dir: Path | None = None
    model_paths: tuple[Path, ...] = ()

    @cached_property
    def location(self) -> StoreLocation:
        return store_location(self.db)

    @cached_property
    def catalogue(self) -> Catalogue:
        """The configuration but for published results, read once. Raises `ConfigError`."""
        from engine.config import load_catalogue

        return load_catalogue(self.config_dir, self.model_paths, published=False)

    @cached_property
    def whole_catalogue(self) -> Catalogue:
        """All of the configuration, read once. Raises `ConfigError`."""
        from engine.config import with_published

        return with_published(self.catalogue, self.config_dir)

    @property
    def catalogue_if_valid(self) -> Catalogue | None:
        """The configuration, for results that can be told without it; None if it has a mistake."""
        try:
            return self.catalogue
        except UserError:
            return None

    def keep_models(self) -> None:
        """See to it that runs may run the user's model files as they are now."""
        from engine.config import keep_models

        keep_models(self.config_dir, self.model_paths)

    @property
    def has_store(self) -> bool:
        """Whether there is a store, or run folders to make it from."""
        return self.location.db.exists() or any(self.location.folders())

    @contextmanager
    def reader(self) -> Iterator[StoreConnection]:
        """Open the store for reading, and see to it that the queue is worked on.

        Raises `StoreError`.
        """
        from engine.store.connect import connect_reader, create_or_migrate

        if self.has_store:
            with progress("Reading run folders") as told:
                create_or_migrate(self.location, told)
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

aggregate_option = click.option(
    "--aggregate",
    default="best",
    show_default=True,
    metavar="best|max|min|last|mean",
    help="How a run's epochs are aggregated.",
)
filter_option = click.option(
    "--filter",
    "filter_",
    default="",
    metavar="EXPRESSION",
    help="Only runs that match EXPRESSION, such as 'model:sasrec ndcg>0.16': see docs/queries.md.",
)
where_option = click.option("--where", "filter_", default="", hidden=True)
"""Another name of the filter, which scripts may give `report` and `export`."""
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
            problem = f"{value!r} has an empty item: write a,b without a comma at the end."
            self.fail(problem, param, ctx)
        return parts


def flat(values: Sequence[Sequence[Any]]) -> list[Any]:
    """Join the values of a `Listed` option given several times, each once, in order."""
    return list(dict.fromkeys(value for part in values for value in part))


def say(text: str = "") -> None:
    """Print a line of result. Terminal controls in it are taken out, and its length is bounded."""
    click.echo(plain(text))


def say_while_read(text: str) -> None:
    """Print a line of what goes on for long, and end the command where nobody can read it."""
    say(text)
    if stdout_problem() is not None:
        raise click.exceptions.Exit(1)


def note(text: str) -> None:
    """Print a line for the person who waits, on stderr."""
    click.echo(plain(text), err=True)


def paused(why: str) -> str:
    """Say that the queue is paused, and why, if that isn't by hand."""
    return " ".join(filter(None, ["The queue is paused.", why, "`seqbench resume` resumes it."]))


def say_json(value: object) -> None:
    """Print the result for a program. Escapes all but ASCII, so that no text acts."""
    click.echo(json.dumps(value, indent=2, allow_nan=False))


def say_table(headings: Sequence[str], rows: Sequence[Sequence[object]], right: str = "") -> None:
    """Print aligned columns. On a terminal they fit its width: texts are cut, then the last columns
    left out, which is said.

    Args:
        right: the headings that align to the right, with blanks between them.
    """
    texts = [[plain(str(cell), PARAGRAPH) for cell in row] for row in (headings, *rows)]
    to_right = [heading in right.split() for heading in headings]
    widths = [max(cell_len(row[i]) for row in texts) for i in range(len(headings))]
    if (room := terminal_width()) is not None:
        widths = _narrowed(widths, to_right, room)
    for row in texts:
        cells = [
            f"{' ' * (width - cell_len(cell))}{cell}"
            if at_right
            else f"{cell}{' ' * (width - cell_len(cell))}"
            for cell, width, at_right in zip(
                map(shorten, row, widths), widths, to_right, strict=False
            )
        ]
        click.echo("  ".join(cells).rstrip())
    if hidden := headings[len(widths) :]:
        note(f"No room for {', '.join(hidden)}: a wider terminal shows more.")


def _narrowed(widths: Sequence[int], to_right: Sequence[bool], room: int) -> list[int]:
    """Take from the widest columns of texts what a table is too wide for its room, down to
    `LEAST_TEXT` cells, else whole columns from the end; never from the first, whose names are to be
    copied."""
    found = list(widths)
    texts = [place for place, figures in enumerate(to_right) if place and not figures]
    over = sum(found) + 2 * (len(found) - 1) - room
    for place in sorted(texts, key=lambda place: -found[place]):
        taken = min(max(0, over), max(0, found[place] - LEAST_TEXT))
        found[place] -= taken
        over -= taken
    if over > 0 and len(found) > 1:
        return _narrowed(widths[:-1], to_right[:-1], room)
    return found


def say_fact(name: str, text: str) -> None:
    """Print a fact below a heading, on a terminal in as many lines as it needs there."""
    width = terminal_width()
    lines = [text] if width is None else wrap(text, max(LEAST_TEXT, width - FACT - 3))
    for number, line in enumerate(lines or [""]):
        say(f"  {'' if number else name:<{FACT}} {line}".rstrip())
