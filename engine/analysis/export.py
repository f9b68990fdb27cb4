"""Writing a comparison as text: for people (``table``, ``md``, ``latex``) and for programs
(``csv``, ``json``). The same rows give the same bytes.
"""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import repeat
from typing import Literal, get_args

from rich.cells import cell_len, set_cell_size

from engine.analysis.columns.definitions import DIFFERENCE, STD, Kind, Value, kind_of
from engine.analysis.columns.text import (
    COMMAND,
    figure,
    printable,
    signed_figure,
    split_heading,
    with_deviation,
)
from engine.analysis.comparison import Row, column_names, column_of
from engine.analysis.csvjson import csv_of_rows, json_of_rows
from engine.analysis.typeset import NUMBER_FORMATS, tabular, tex, workbook
from engine.errors import UsageError, did_you_mean

Format = Literal["table", "csv", "md", "json", "latex"]
FORMATS: tuple[Format, ...] = get_args(Format)
ENDINGS = {
    ".csv": "csv",
    ".md": "md",
    ".tex": "latex",
    ".xlsx": "xlsx",
    ".json": "json",
    ".txt": "table",
}
"""What a file's name says of its format."""
FOR_PROGRAMS = frozenset({"csv", "json", "xlsx"})
"""Formats with every digit, and with deviations in columns of their own."""

_LONGEST_CELL = 200
"""Most characters of a text in a table; longer ones are cut there, but complete in other
formats."""
_LONGEST_FITTED = 28
"""Most characters where a table must fit a terminal, but for ids."""

_GAP = 2
"""Blanks between two columns."""

_OF_PROGRAMS = {"age": "created"}
"""Names of columns in which programs get something else: seconds since 1970."""


def format_rows(
    rows: Sequence[Row],
    format: str,  # noqa: A002
    *,
    names: Sequence[str] | None = None,
    first: Sequence[str] = (),
    width: int | None = None,
) -> str:
    """Write the rows of `compare_rows` or `by_cell` as text that ends in a newline.

    Args:
        format: one of `FORMATS`; CSV and JSON have every digit.
        names: columns to write, in this order, those that the rows have; None for all.
        first: the most telling columns, which a narrow table has before the others.
        width: columns of the terminal that a table must fit: the last columns are left out, and
            it is said which. None leaves none out.

    Raises:
        UsageError: the format isn't one of `FORMATS`.
    """
    return "".join(row_pieces(rows, format, names=names, first=first, width=width))


def row_pieces(
    rows: Sequence[Row],
    format: str,  # noqa: A002
    *,
    names: Sequence[str] | None = None,
    first: Sequence[str] = (),
    width: int | None = None,
) -> Iterable[str]:
    """Write the rows as `format_rows`, in pieces, which are made as they are taken."""
    match format.strip().lower():
        case "table":
            return [_table(rows, _for_people(rows, names), first, width)]
        case "csv":
            return csv_of_rows(rows, for_programs(rows, names))
        case "md":
            return [_markdown(rows, _for_people(rows, names))]
        case "latex":
            return [_latex(rows, _for_people(rows, names))]
        case "json":
            return json_of_rows(rows, for_programs(rows, names))
        case _:
            raise UsageError(f"there is no format {format!r}: {did_you_mean(format, FORMATS)}")


def for_programs(rows: Sequence[Row], names: Sequence[str] | None = None) -> dict[str, str]:
    """Return the rows' keys that programs get, each with its heading; a figure's deviation follows
    it."""
    own = list(rows[0]) if rows else [*column_names()] if names is None else list(names)
    if names is not None:
        wanted = (each for name in names for each in (name, name + STD))
        own = [name for name in wanted if name in own]
    return {name: _OF_PROGRAMS.get(name, name) for name in own}


def _for_people(rows: Sequence[Row], names: Sequence[str] | None) -> list[str]:
    """Return the columns without deviations, which are shown with their means, and without
    digests of settings if labels say what differs."""
    own = list(rows[0]) if rows else column_names()
    if names is not None:
        own = [name for name in names if name in own]
    own = [name for name in own if not name.endswith(STD)]
    if "label" not in own:
        return own
    left = {"settings"} if names is None else set[str]()
    left |= set() if any(row["label"] for row in rows) else {"label"}
    return [name for name in own if name not in left]


def _markdown(rows: Sequence[Row], names: Sequence[str]) -> str:
    figures = [kind_of(name) != "text" for name in names]
    body = zip(*(_cell_texts(rows, name) for name in names), strict=True)
    lines = ([markdown_cell(text) for text in line] for line in (names, *body))
    return markdown_table(lines, figures)


def _latex(rows: Sequence[Row], names: Sequence[str]) -> str:
    body = zip(*(_cell_texts(rows, name) for name in names), strict=True)
    right = [kind_of(name) != "text" for name in names]
    return tabular([names], [[tex(text) for text in line] for line in body], right)


def markdown_table(lines: Iterable[Sequence[str]], figures: Sequence[bool]) -> str:
    """Write a table of Markdown from lines of escaped texts, the first being the head.

    Args:
        figures: whether a column holds numbers, which are right-aligned.
    """
    head, *body = lines
    rule = ["---:" if right else "---" for right in figures]
    return "".join(f"| {' | '.join(line)} |\n" for line in (head, rule, *body))


def markdown_cell(text: str) -> str:
    """Escape a text so that no character of it is markup; commands in it are code."""
    parts = COMMAND.split(text)
    return "`".join(part if at % 2 else _escaped(part) for at, part in enumerate(parts))


def _escaped(text: str) -> str:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for mark in ("\\", "|", "`", "*", "_", "[", "]"):
        escaped = escaped.replace(mark, "\\" + mark)
    return escaped


def _table(
    rows: Sequence[Row], names: Sequence[str], first: Sequence[str], width: int | None
) -> str:
    if not rows:
        return "No runs match.\n"
    cells = {name: _cell_texts(rows, name) for name in names}
    for name, texts in cells.items():
        most = _LONGEST_CELL if width is None or name == "run" else _LONGEST_FITTED
        cells[name] = [_cut(text, most) for text in texts]
    headings = {name: [line for line in split_heading(name) if line] for name in names}
    ranked = dict.fromkeys((*(name for name in first if name in cells), *names))
    wide = {name: max(map(cell_len, (*headings[name], *cells[name]))) for name in ranked}
    kept = fitting(wide, width)
    shown = [name for name in names if name in kept]
    height = max(len(headings[name]) for name in shown)
    columns = [
        aligned(
            [*[""] * (height - len(headings[name])), *headings[name], *cells[name]],
            kind_of(name) != "text",
            width,
        )
        for name in shown
    ]
    lines, rule = side_by_side(columns)
    lines.insert(height, rule)
    return "\n".join([*lines, *left_out(names, shown, width)]) + "\n"


def fitting(wide: Mapping[str, int], width: int | None) -> list[str]:
    """Choose the columns that fit into ``width`` terminal cells, the first ones first; ``None``
    keeps all.

    Args:
        wide: the cells that each column takes, by its name.
    """
    kept: list[str] = []
    used = 0
    for name, cells in wide.items():
        if width is None or not kept or used + cells <= width:
            kept.append(name)
            used += cells + _GAP
    return kept


def left_out(names: Sequence[str], shown: Collection[str], width: int | None) -> list[str]:
    """Say below a table of that width which columns it has no room for; nothing if it has all."""
    hidden = [name for name in names if name not in shown]
    if not hidden or width is None:
        return []
    columns = "1 column" if len(hidden) == 1 else f"{len(hidden)} columns"
    said = textwrap.shorten(f"No room for {columns}: {', '.join(hidden)}.", width, placeholder=" …")
    return ["", said, "--wide shows all columns."]


def side_by_side(columns: Sequence[Sequence[str]]) -> tuple[list[str], str]:
    """Join columns of aligned texts to lines; return these and a rule as long as the longest."""
    rule = "─" * (sum(cell_len(column[0]) for column in columns) + _GAP * (len(columns) - 1))
    return ["  ".join(line).rstrip() for line in zip(*columns, strict=True)], rule


def aligned(texts: Sequence[str], right: bool, most: int | None = None) -> list[str]:
    """Pad texts with spaces to the same width in terminal cells.

    Args:
        right: whether the texts are right-aligned.
        most: the greatest width; wider texts are cut, and end in an ellipsis.
    """
    width = max(map(cell_len, texts))
    if most is not None and width > most:
        width = most
        texts = [
            text if cell_len(text) <= most else set_cell_size(text, most - 1) + "…"
            for text in texts
        ]
    gaps = (" " * (width - cell_len(text)) for text in texts)
    return [gap + text if right else text + gap for text, gap in zip(texts, gaps, strict=True)]


def rows_content(
    rows: Sequence[Row],
    format: str,  # noqa: A002
    names: Sequence[str] | None = None,
    width: int | None = None,
) -> Iterable[str | bytes]:
    """Write the rows as `row_pieces`, or as a sheet, which is bytes, where ``xlsx`` is meant."""
    if format == "xlsx":
        return [rows_sheet(rows, names)]
    return row_pieces(rows, format, names=names, width=width)


def rows_sheet(rows: Sequence[Row], names: Sequence[str] | None = None) -> bytes:
    """Write the rows as a workbook of XLSX: numbers with every digit, the head in sight.

    Args:
        names: as for `format_rows`.
    """
    with workbook() as made:
        sheet = made.book.add_worksheet("Comparison")
        sheet.freeze_panes(1, 0)
        head = made.book.add_format({"bold": True, "bottom": 1, "text_wrap": True})
        kinds = {
            kind: made.book.add_format({"num_format": shown})
            for kind, shown in NUMBER_FORMATS.items()
        }
        for place, (name, heading) in enumerate(for_programs(rows, names).items()):
            shown = kinds[kind_of(name.removesuffix(STD))]
            sheet.write_string(0, place, heading, head)
            for line, value in enumerate(column_of(rows, name), 1):
                if isinstance(value, str):
                    sheet.write_string(line, place, printable(value))
                elif value is not None:
                    sheet.write_number(line, place, value, shown)
            sheet.set_column(place, place, 24 if name == "run" else 12)
    return made.content


def _cell_texts(rows: Sequence[Row], name: str) -> list[str]:
    """Format one column of all rows for people, each value with its deviation."""
    kind, own = kind_of(name), list(rows[0]) if rows else []
    deviations = column_of(rows, name + STD) if name + STD in own else repeat(None, len(rows))
    values = column_of(rows, name)
    return [_cell_text(*each, name, kind) for each in zip(values, deviations, strict=True)]


def _cell_text(value: Value, deviation: Value, name: str, kind: Kind) -> str:
    if name == "checksum" and isinstance(value, str):
        value = value[:12]
    if name.endswith(DIFFERENCE) and isinstance(value, int | float):
        return signed_figure(value, kind)
    if name == "age" and isinstance(value, int | float):
        value = datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d")
    text = printable(figure(value, kind))
    return with_deviation(text, deviation if isinstance(deviation, float) else None, kind)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def listed(texts: Iterable[str]) -> str:
    """Join one text or more as ``a, b and c``."""
    *first, last = texts
    return f"{', '.join(first)} and {last}" if first else last
