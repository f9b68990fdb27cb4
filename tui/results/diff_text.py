"""The comparison of two runs or cells, as lines of text. No widget here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual.content import Content

from engine.analysis.columns.definitions import Aggregate
from engine.analysis.columns.text import spread_text
from engine.analysis.diff import Diff, Side, difference_text
from tui.shell.text import ABSENT, PARAGRAPH, plain
from tui.widgets.lines import fit

_NAME = 31
_MOST = 40
"""Cells of a value; a longer one is cut."""


@dataclass(frozen=True, slots=True)
class RunOrCell:
    """What can be compared: a run by its id, or a cell by its name."""

    key: str
    is_cell: bool


@dataclass(frozen=True, slots=True)
class _DiffRow:
    """One setting or value of both sides."""

    name: str
    left: str
    right: str
    difference: str = ""


def as_tabs(diff: Diff, words: Sequence[str]) -> str:
    """Write it for the clipboard, tabs between the columns."""
    rows = [row for _, rows in _sections(diff) for row in rows]
    lines = ["\t".join((row.name, row.left, row.right, row.difference)) for row in rows]
    return "\n".join([*(plain(sentence, PARAGRAPH) for sentence in words), *lines])


def diff_content(
    diff: Diff, width: int, aggregate: Aggregate, words: Sequence[str] = ()
) -> Content:
    """Say what the paired test says, what differs, then the figures in columns that fit.

    Args:
        width: terminal cells.
        words: sentences of the paired test.
    """
    sections = list(_sections(diff))
    titles = _DiffRow("", "left", "right")
    every = [titles, *(row for _, rows in sections for row in rows)]
    name = min(_NAME, max(cell_len(row.name) for row in every) + 2)
    last = max(cell_len(row.difference) for row in every)
    side = max(cell_len(text) for row in every for text in (row.left, row.right))
    side = max(8, min(side, _MOST, (width - name - last - 6) // 2))
    widths = name, side, last
    lines = [_title("left", diff.left, width), _title("right", diff.right, width)]
    lines += [Content.styled(plain(text), "$warning") for text in diff.warnings]
    if words:
        lines += [Content(""), Content.styled("at the chosen epoch", "$primary")]
        lines += [_sentence(text) for text in words]
    if not diff.settings:
        same = "The same configuration, versions and device."
        lines += [Content(""), Content.styled(same, "$text-muted")]
    lines += [Content(""), _line(titles, widths, "$text-muted")]
    for title, rows in sections:
        lines += [Content.styled(title, "$primary"), *(_line(row, widths) for row in rows)]
    lines += [
        Content(""),
        Content.styled(f"Values: {aggregate}. Difference: right − left.", "$text-muted"),
    ]
    return Content("\n").join(lines)


def _sentence(text: str) -> Content:
    """What is shown of a metric stands out, a caveat doesn't."""
    text = plain(text, PARAGRAPH)
    metric, colon, rest = text.partition(": ")
    if not colon or "@" not in metric:
        return Content.styled(text, "$text-muted")
    verdict, comma, figures = rest.partition(", ")
    tone = "bold" if verdict.endswith((" better", " worse")) else ""
    return Content.assemble((f"{metric}: ", "$text-muted"), (verdict, tone), f"{comma}{figures}")


def _title(name: str, side: Side, width: int) -> Content:
    return Content.assemble(
        (f"{name:<7}", "$text-muted"), (plain(side.title, max(8, width - 7)), "bold")
    )


def _sections(diff: Diff) -> Iterator[tuple[str, list[_DiffRow]]]:
    for section in dict.fromkeys(setting.section for setting in diff.settings):
        yield (
            section,
            [
                _DiffRow(plain(one.name), plain(one.left) or ABSENT, plain(one.right) or ABSENT)
                for one in diff.settings
                if one.section == section
            ],
        )
    if diff.figures:
        yield (
            "metrics",
            [
                _DiffRow(
                    one.column.name,
                    spread_text(one.left, one.column.kind),
                    spread_text(one.right, one.column.kind),
                    difference_text(one),
                )
                for one in diff.figures
            ],
        )


def _line(row: _DiffRow, widths: Sequence[int], style: str = "") -> Content:
    name, side, last = widths
    return Content.assemble(
        (fit(row.name, name), "$text-muted"),
        (fit(row.left, side), style),
        "  ",
        (fit(row.right, side), style),
        "  ",
        (row.difference.rjust(last), "$text-muted"),
    )
