"""What a report is made of, whatever it is written as."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from engine.report.wording import slug


@dataclass(frozen=True)
class Paragraph:
    """Plain text."""

    text: str
    quiet: bool = False
    """A remark on how to read what stands beside it."""


@dataclass(frozen=True)
class Bullets:
    """Short texts under each other."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Cell:
    """One cell of a table: several lines stand under each other."""

    lines: tuple[str, ...]
    strong: bool = False
    indent: int = 0


@dataclass(frozen=True)
class Table:
    """Texts in rows under a head; all rows are as long as it."""

    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    figures: frozenset[int] = frozenset()
    """Columns that hold numbers: they stand at the right."""
    caption: str = ""
    strong: frozenset[int] = frozenset()
    """Rows that sum up others."""


@dataclass(frozen=True)
class Plot:
    """A picture."""

    name: str
    """For a file of its own."""
    draw: Callable[[], str]
    """Makes the SVG; called once, where it is wanted at all."""
    alt: str
    """What it shows, for those who don't see it."""
    caption: str = ""

    @cached_property
    def svg(self) -> str:
        """The drawing."""
        return self.draw()


@dataclass(frozen=True)
class Commands:
    """Lines for a shell."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class Subheading:
    text: str


Block = Paragraph | Bullets | Table | Plot | Commands | Subheading


@dataclass(frozen=True)
class Section:
    """A part of the report with a heading."""

    title: str
    blocks: tuple[Block, ...]

    @property
    def anchor(self) -> str:
        """What a link within the page calls it."""
        return slug(self.title)


@dataclass(frozen=True)
class Report:
    """The whole of it."""

    title: str
    about: tuple[str, ...]
    """Lines under the title."""
    sections: tuple[Section, ...]


def table(
    head: Sequence[str],
    rows: Sequence[Sequence[str | Cell]],
    *,
    figures: Sequence[int] = (),
    caption: str = "",
    strong: Sequence[int] = (),
) -> Table:
    """A table of texts."""
    return Table(
        head=tuple(head),
        rows=tuple(
            tuple(cell if isinstance(cell, Cell) else Cell((cell,)) for cell in row) for row in rows
        ),
        figures=frozenset(figures),
        caption=caption,
        strong=frozenset(strong),
    )
