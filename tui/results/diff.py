"""Two runs or cells beside each other: what differs in configuration, and by how much they do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Static

from engine.analysis.comparison import Aggregate, short_spread_text
from engine.analysis.diff import (
    Diff,
    Figure,
    Side,
    cell_side,
    compare_sides,
    difference_text,
    run_side,
)
from engine.store.compare.grouping import Choice
from tui.shell.text import ABSENT, PARAGRAPH, plain, shorten

if TYPE_CHECKING:
    from tui.lab import Lab

_NAME = 31
_MOST = 40
"""Cells of a value; a longer one is cut."""


@dataclass(frozen=True, slots=True)
class RunOrCell:
    """What is set beside another: a run by its id, or a cell by its name."""

    key: str
    is_cell: bool


Row = tuple[str, str, str, str, str]
"""Name, left, right, difference, and which side is better."""


class DiffRead(Message):
    """Both sides came from the store, or why they didn't."""

    def __init__(self, found: Diff | str) -> None:
        super().__init__()
        self.found = found


class WordsRead(Message):
    """What the paired test says of the two, or why it says nothing."""

    def __init__(self, sentences: Sequence[str]) -> None:
        super().__init__()
        self.sentences = tuple(sentences)


class DiffScreen(ModalScreen[None]):
    """The two lines that are marked."""

    CSS_PATH = "diff.tcss"
    BINDINGS = [  # noqa: RUF012
        Binding("escape,equals_sign,q,enter", "dismiss", "Close", key_display="esc"),
        Binding("x", "swap", "Swap"),
        Binding("y", "copy", "Copy"),
    ]
    AUTO_FOCUS = "VerticalScroll"

    app: Lab

    def __init__(
        self, left: RunOrCell, right: RunOrCell, choice: Choice, aggregate: Aggregate
    ) -> None:
        super().__init__()
        self._sides = [left, right]
        self._choice = choice
        self._aggregate: Aggregate = aggregate
        self._diff: Diff | None = None
        self._words: tuple[str, ...] = ()

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog") as dialog:
            dialog.border_title = "Diff"
            dialog.border_subtitle = "↑↓ scroll · x swap · y copy · esc close"
            yield Static(id="diff", markup=False)

    def on_mount(self) -> None:
        self._read()

    def on_resize(self) -> None:
        self._show()

    @work(thread=True, exclusive=True, group="diff", exit_on_error=False)
    def _read(self) -> None:
        from engine.errors import UserError

        try:
            with closing(self.app.reader()) as con:
                left, right = (self._side(con, one) for one in self._sides)
                self.post_message(DiffRead(compare_sides(con, left, right, self._aggregate)))
                # After the rest: what reads ranks takes a moment to load.
                from engine.analysis.pairs.words import words_for

                words = words_for(con, self.app.location, right.runs, left.runs, "right")
                self.post_message(WordsRead(words))
        except (UserError, sqlite3.Error) as error:
            self.post_message(DiffRead(str(error)))

    def _side(self, con: sqlite3.Connection, one: RunOrCell) -> Side:
        if one.is_cell:
            return cell_side(con, one.key, self._choice, self._aggregate)
        return run_side(con, one.key, self._aggregate)

    @on(DiffRead)
    def _diff_read(self, event: DiffRead) -> None:
        if isinstance(event.found, str):
            self.query_one("#diff", Static).update(Content(plain(event.found, PARAGRAPH)))
        else:
            self._diff = event.found
            self._show()

    @on(WordsRead)
    def _words_read(self, event: WordsRead) -> None:
        self._words = event.sentences
        self._show()

    def _show(self) -> None:
        if self._diff is not None:
            panel = self.query_one("#diff", Static)
            width = panel.content_size.width or self.size.width - 6
            panel.update(diff_content(self._diff, width, self._aggregate, self._words))

    def action_swap(self) -> None:
        """The other way round."""
        self._sides.reverse()
        self._words = ()
        self._read()

    def action_copy(self) -> None:
        """Put it on the clipboard, tabs between the columns."""
        if self._diff is not None:
            lines = [plain(sentence, PARAGRAPH) for sentence in self._words]
            lines += ["\t".join(row[:4]) for _, rows in _sections(self._diff) for row in rows]
            self.app.copy_to_clipboard("\n".join(lines))
            self.notify("Copied the diff", timeout=2)


def diff_content(
    diff: Diff, width: int, aggregate: Aggregate, words: Sequence[str] = ()
) -> Content:
    """What the paired test says, what differs, then the figures in columns that fit."""
    sections = list(_sections(diff))
    every = [row for _, rows in sections for row in rows]
    titles = ("", "left", "right", "", "")
    name = min(_NAME, max(cell_len(row[0]) for row in [*every, titles]) + 2)
    last = max((cell_len(row[3]) for row in every), default=0)
    side = max(cell_len(text) for row in [*every, titles] for text in row[1:3])
    side = max(8, min(side, _MOST, (width - name - last - 6) // 2))
    widths = (name, side, side, last)
    lines = [_title("left", diff.left, width), _title("right", diff.right, width)]
    lines += [Content.styled(plain(text), "$warning") for text in diff.warnings]
    if words:
        lines += [
            Content(""),
            Content.styled("tested over users and seeds, at the chosen epoch", "$primary"),
        ]
        lines += [_sentence(text) for text in words]
    if not diff.settings:
        same = "The same configuration, versions and device."
        lines += [Content(""), Content.styled(same, "$text-muted")]
    lines += [Content(""), _line(titles, widths, "$text-muted")]
    for title, rows in sections:
        lines += [Content.styled(title, "$primary"), *(_line(row, widths) for row in rows)]
    lines += [
        Content(""),
        Content.styled(f"Figures: {aggregate}. Difference: right − left.", "$text-muted"),
    ]
    return Content("\n").join(lines)


def _sentence(text: str) -> Content:
    """What is said of a metric stands out, a caveat doesn't."""
    text = plain(text, PARAGRAPH)
    metric, colon, rest = text.partition(": ")
    if not colon or "@" not in metric:
        return Content.styled(text, "$text-muted")
    verdict, comma, figures = rest.partition(", ")
    tone = "" if verdict.startswith("no ") else "bold"
    return Content.assemble((f"{metric}: ", "$text-muted"), (verdict, tone), f"{comma}{figures}")


def _title(name: str, side: Side, width: int) -> Content:
    return Content.assemble(
        (f"{name:<7}", "$text-muted"), (plain(side.title, max(8, width - 7)), "bold")
    )


def _sections(diff: Diff) -> Iterator[tuple[str, list[Row]]]:
    for section in dict.fromkeys(setting.section for setting in diff.settings):
        rows: list[Row] = [
            (plain(one.name), plain(one.left) or ABSENT, plain(one.right) or ABSENT, "", "")
            for one in diff.settings
            if one.section == section
        ]
        yield section, rows
    rows = [_figure_row(one) for one in diff.figures]
    if rows:
        yield "figures", rows


def _figure_row(one: Figure) -> Row:
    left, right = (short_spread_text(spread, one.column.kind) for spread in (one.left, one.right))
    return one.column.name, left, right, difference_text(one), one.better or ""


def _line(row: Row, widths: Sequence[int], style: str = "") -> Content:
    name, left, right, difference, better = row
    texts = [_fit(left, widths[1]), _fit(right, widths[2])]
    styles = ["$success" if better == side else style for side in ("left", "right")]
    return Content.assemble(
        (_fit(name, widths[0]), "$text-muted"),
        (texts[0], styles[0]),
        "  ",
        (texts[1], styles[1]),
        "  ",
        (" " * (widths[3] - cell_len(difference)) + difference, "$text-muted"),
    )


def _fit(text: str, width: int) -> str:
    short = shorten(text, width)
    return short + " " * (width - cell_len(short))
