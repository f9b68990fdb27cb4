"""Writing a comparison as text: for people (``table``, ``md``) and for programs (``csv``,
``json``). The same rows give the same bytes.
"""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Literal, get_args

from rich.cells import cell_len, set_cell_size

from engine.analysis.comparison import (
    DIFFERENCE,
    STD,
    TIME_TO_QUALITY,
    Kind,
    Row,
    Value,
    column_names,
    figure,
    kind_of,
    split_heading,
    with_deviation,
    with_sign,
)
from engine.errors import UsageError, did_you_mean

Format = Literal["table", "csv", "md", "json"]
FORMATS: tuple[Format, ...] = get_args(Format)

_ESSENTIAL = (
    "model", "dataset", "length", "label", "seed", "seeds", "state", TIME_TO_QUALITY,
    "NDCG@10/test", "Recall@10/test", "NDCG@10/valid", "MRR@10/test", "HitRate@10/test",
    "EpochTime", "Total Epoch Trained", "BestEpoch", "Loss/train", "Model/TotalParams",
    "GradientNorm", "run",
)  # fmt: skip
"""Columns that a table shows first where it can't show all, the most important first."""
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""Characters that begin a formula in spreadsheets, in some the wide forms too."""

_LONGEST_CELL = 200
"""Most characters of a text in a table; longer ones are cut there, and whole in other formats."""


def format_rows(rows: Sequence[Row], format: str, *, width: int | None = None) -> str:  # noqa: A002
    """Write the rows of `compare_rows` or `by_cell` as text that ends in a newline.

    Args:
        format: one of `FORMATS`; CSV and JSON have every digit.
        width: columns of the terminal that a table must fit; None shows every column.

    Raises:
        UsageError: the format isn't one of `FORMATS`.
    """
    match format.strip().lower():
        case "table":
            return _table(rows, width)
        case "csv":
            names = _names(rows)
            return csv_text([names, *([row[name] for name in names] for row in rows)])
        case "md":
            return _markdown(rows)
        case "json":
            return json.dumps(list(rows), indent=2, allow_nan=False) + "\n"
        case _:
            raise UsageError(f"there is no format {format!r}: {did_you_mean(format, FORMATS)}")


def _names(rows: Sequence[Row]) -> list[str]:
    return list(rows[0]) if rows else column_names()


def _for_people(rows: Sequence[Row]) -> list[str]:
    """Return the columns without deviations, which stand beside their means, and without digests
    of settings where labels say in what they differ."""
    names = [name for name in _names(rows) if not name.endswith(STD)]
    if "label" not in names:
        return names
    told = {"settings"} if any(row["label"] for row in rows) else {"settings", "label"}
    return [name for name in names if name not in told]


def csv_text(lines: Iterable[Sequence[Value | Decimal]]) -> str:
    """Write lines of values, the first being the head, as CSV for programs and spreadsheets."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(map(csv_cell, line) for line in lines)
    return out.getvalue()


def csv_cell(value: Value | Decimal) -> str:
    """Write a value with every digit; text that a spreadsheet would take for a formula gets a quote
    before it."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if not isinstance(value, str):
        return repr(value)
    text = printable(value)
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text


def _markdown(rows: Sequence[Row]) -> str:
    names = _for_people(rows)
    figures = [kind_of(name) != "text" for name in names]
    body = zip(*(_cell_texts(rows, name) for name in names), strict=True)
    lines = ([markdown_cell(text) for text in line] for line in (names, *body))
    return markdown_table(lines, figures)


def markdown_table(lines: Iterable[Sequence[str]], figures: Sequence[bool]) -> str:
    """Write a table of Markdown from lines of escaped texts, the first being the head.

    Args:
        figures: whether a column holds numbers, which stand at the right.
    """
    head, *body = lines
    rule = ["---:" if right else "---" for right in figures]
    return "".join(f"| {' | '.join(line)} |\n" for line in (head, rule, *body))


def markdown_cell(text: str) -> str:
    """Escape a text so that no character of it is markup."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for mark in ("\\", "|", "`", "*", "_", "[", "]"):
        escaped = escaped.replace(mark, "\\" + mark)
    return escaped


def _table(rows: Sequence[Row], width: int | None) -> str:
    if not rows:
        return "No runs match.\n"
    every = _for_people(rows)
    cells = {name: [_cut(text) for text in _cell_texts(rows, name)] for name in every}
    shown = _fitting(every, cells, width)
    headings = {name: [line for line in split_heading(name) if line] for name in shown}
    height = max(len(lines) for lines in headings.values())
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
    hidden = len(every) - len(shown)
    if hidden:
        more = f"{hidden} more columns in a wider terminal, or with --format csv, md or json."
        lines += ["", more]
    return "\n".join(lines) + "\n"


def side_by_side(columns: Sequence[Sequence[str]]) -> tuple[list[str], str]:
    """Join columns of aligned texts to lines; return these and a rule as long as the longest."""
    rule = "─" * (sum(cell_len(column[0]) for column in columns) + 2 * (len(columns) - 1))
    return ["  ".join(line).rstrip() for line in zip(*columns, strict=True)], rule


def aligned(texts: Sequence[str], right: bool, most: int | None = None) -> list[str]:
    """Pad texts with blanks to one width in terminal cells.

    Args:
        right: whether the texts stand at the right.
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


def _fitting(names: Sequence[str], cells: dict[str, list[str]], width: int | None) -> list[str]:
    """Choose the columns that fit into ``width`` terminal cells, the essential ones first; return
    them in their usual order. ``None`` keeps all.

    Args:
        cells: the texts of every column, by its name.
    """
    if width is None:
        return list(names)
    ranked = [name for name in _ESSENTIAL if name in cells]
    ranked += [name for name in names if name not in ranked]
    kept: set[str] = set()
    used = 0
    for name in ranked:
        need = max(map(cell_len, (*split_heading(name), *cells[name]))) + 2
        if kept and used + need > width:
            break
        kept.add(name)
        used += need
    return [name for name in names if name in kept]


def _cell_texts(rows: Sequence[Row], name: str) -> list[str]:
    """Format one column of all rows for people, each figure with its deviation."""
    kind: Kind = kind_of(name)
    return [_cell_text(row, name, kind) for row in rows]


def _cell_text(row: Row, name: str, kind: Kind) -> str:
    value = row[name]
    if name == "checksum" and isinstance(value, str):
        value = value[:12]
    if name.endswith(DIFFERENCE) and isinstance(value, int | float):
        return with_sign(figure(abs(value), kind), value)
    text = printable(figure(value, kind))
    deviation = row.get(name + STD)
    return with_deviation(text, deviation if isinstance(deviation, float) else None, kind)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_CELL else f"{text[: _LONGEST_CELL - 1]}…"


def listed(texts: Iterable[str]) -> str:
    """Join one text or more as ``a, b and c``."""
    *first, last = texts
    return f"{', '.join(first)} and {last}" if first else last


def printable(text: str) -> str:
    """Take away control, format (such as right-to-left marks) and surrogate characters; tabs and
    line breaks become blanks."""
    if text.isascii() and text.isprintable():
        return text
    spaced = re.sub(r"[\t\n\u2028\u2029]", " ", text)
    return "".join(c for c in spaced if unicodedata.category(c) not in ("Cc", "Cf", "Cs"))
