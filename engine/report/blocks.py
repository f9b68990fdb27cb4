"""The parts of a report, independent of the format in which it is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from engine.report.wording import slug


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of plain text."""

    text: str
    quiet: bool = False
    """Whether it is a note on how to read what is beside it, and shown less prominently."""


@dataclass(frozen=True)
class Bullets:
    """A list of short texts."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Cell:
    """One cell of a table; several lines are shown as a list."""

    lines: tuple[str, ...]
    strong: bool = False
    indent: int = 0


@dataclass(frozen=True)
class Table:
    """A table of texts; every row has as many cells as the head."""

    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    figures: frozenset[int] = frozenset()
    """Indices of columns that hold numbers, which are aligned to the right."""
    caption: str = ""
    strong: frozenset[int] = frozenset()
    """Indices of rows that sum up others, which are set in bold."""


@dataclass(frozen=True)
class Plot:
    """A plot as SVG."""

    name: str
    """Stem of its file's name, where it gets a file of its own."""
    draw: Callable[[], str]
    """Draws the SVG; called at most once, when it is first needed."""
    alt: str
    """A description for readers who can't see the plot."""
    caption: str = ""

    @cached_property
    def svg(self) -> str:
        """Return the drawing."""
        return self.draw()


@dataclass(frozen=True)
class Commands:
    """Commands for a shell, one a line."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class Subheading:
    """A heading within a section."""

    text: str


Block = Paragraph | Bullets | Table | Plot | Commands | Subheading


@dataclass(frozen=True)
class Section:
    """A part of the report, with a heading of its own."""

    title: str
    blocks: tuple[Block, ...]

    @property
    def anchor(self) -> str:
        """Return the name by which links within the page refer to it."""
        return slug(self.title)


@dataclass(frozen=True)
class Report:
    """A whole report."""

    title: str
    about: tuple[str, ...]
    """Lines of text under the title."""
    sections: tuple[Section, ...]


def table(
    head: Sequence[str],
    rows: Sequence[Sequence[str | Cell]],
    *,
    figures: Sequence[int] = (),
    caption: str = "",
    strong: Sequence[int] = (),
) -> Table:
    """Make a table; a cell given as text becomes a `Cell` of one line."""
    return Table(
        head=tuple(head),
        rows=tuple(
            tuple(cell if isinstance(cell, Cell) else Cell((cell,)) for cell in row) for row in rows
        ),
        figures=frozenset(figures),
        caption=caption,
        strong=frozenset(strong),
    )
