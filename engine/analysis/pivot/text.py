"""A pivot as text and as a sheet: table, Markdown, LaTeX and XLSX for people, CSV and JSON with
every column for programs.

The same pivot gives the same bytes, but for the sheet, which is a ZIP file.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Literal, get_args

from rich.cells import cell_len

from engine.analysis.columns.definitions import BUDGET, STD, Kind, Value, kind_of
from engine.analysis.columns.text import (
    figure,
    printable,
    signed_figure,
    split_heading,
    told,
    with_deviation,
)
from engine.analysis.csvjson import csv_pieces
from engine.analysis.export import (
    aligned,
    fitting,
    left_out,
    markdown_cell,
    markdown_table,
    side_by_side,
)
from engine.analysis.floor import COLUMN, COLUMN_STANDING
from engine.analysis.literature.figures import digits_text
from engine.analysis.pivot.arranged import BESIDE, COLUMNS, Level, PivotRow, places_shown
from engine.analysis.typeset import NUMBER_FORMATS, tabular, tex, workbook
from engine.cell import Cell
from engine.errors import UsageError, did_you_mean

Format = Literal["table", "csv", "md", "latex", "json", "xlsx"]
FORMATS: tuple[Format, ...] = get_args(Format)
HEADING = "Row Labels"
_FIRST = ("NDCG@10/test", "Recall@10/test", "MRR@10/test", "Model/TotalParams", "EpochTime")
"""Columns that a narrow terminal shows before the others."""

INDENT: dict[Level, int] = {
    "model": 0,
    "dataset": 2,
    "length": 4,
    **dict.fromkeys(BESIDE, 6),
    "total": 0,
}
"""Blanks before a row's label."""


def format_pivot(
    rows: Sequence[PivotRow],
    format: str,  # noqa: A002 - the command line's name for it
    names: Sequence[str] = COLUMNS,
    *,
    width: int | None = None,
) -> str | bytes:
    """Write the pivot in one of `FORMATS`; a sheet is bytes, the others text.

    Args:
        names: the columns that the rows' figures are of.
        width: columns of the terminal that a table must fit: the least telling ones are left
            out, and it is said which. None leaves none out.

    Raises:
        UsageError: there is no such format.
    """
    match format.strip().lower():
        case "table":
            return _table(rows, names, width)
        case "csv":
            return _csv(rows, names)
        case "md":
            return _markdown(rows, names)
        case "latex":
            return _latex(rows, names)
        case "json":
            return _json(rows, names)
        case "xlsx":
            return _sheet(rows, names)
        case _:
            raise UsageError(f"there is no format {format!r}: {did_you_mean(format, FORMATS)}")


def for_people(rows: Sequence[PivotRow]) -> list[PivotRow]:
    """Put each difference's margin next to it instead of below, and drop rows of verdicts
    that have none."""
    found: list[PivotRow] = []
    for row in rows:
        if row.level == "margin":
            margins = tuple(value if isinstance(value, float) else None for value in row.figures)
            if any(margin is not None for margin in margins):
                label = f"{found[-1].label} ± 95 %"
                found[-1] = replace(found[-1], label=label, deviations=margins)
        elif row.level != "verdict" or any(row.figures):
            found.append(row)
    return found


def pivot_texts(row: PivotRow, names: Sequence[str] = COLUMNS) -> list[str]:
    """Format a row's values for people, in the order of the columns ``names``."""
    texts = []
    for place, (name, value) in enumerate(zip(names, row.figures, strict=True)):
        kind = kind_of(name)
        text = _text(value, kind, row.level)
        deviation = row.deviations[place] if row.deviations else None
        texts.append(with_deviation(text, deviation, kind))
    return texts


def exact_figures(row: PivotRow, names: Sequence[str]) -> dict[str, Value | Decimal]:
    """Return a row's values with every digit, by column, as programs get them."""
    figures = dict(zip(names, row.figures, strict=True))
    for name in BUDGET.keys() & figures.keys():
        value = figures[name]
        figures[name] = value if isinstance(value, Decimal) else told(value, BUDGET[name])
    return figures


def _text(value: Value | Decimal, kind: Kind, level: Level) -> str:
    if value is None or isinstance(value, str):
        # Nothing to be said is no gap in what was measured.
        return value or ("" if level in BESIDE else "–")
    if isinstance(value, Decimal):
        return digits_text(value)
    if level == "difference":
        return signed_figure(value, kind)
    return figure(value, kind)


def _table(rows: Sequence[PivotRow], names: Sequence[str], width: int | None) -> str:
    if not rows:
        return "No run is done.\n"
    rows = for_people(rows)
    labels = [" " * INDENT[row.level] + printable(row.label) for row in rows]
    places = places_shown(rows, names)
    columns = {HEADING: aligned(["", HEADING, *labels], right=False)}
    figures = [pivot_texts(row, names) for row in rows]
    for place in places:
        texts = [*split_heading(names[place]), *(texts[place] for texts in figures)]
        columns[names[place]] = aligned(texts, right=True)
    most_telling = _FIRST if tuple(names) == COLUMNS else ()
    first = [HEADING, *(name for name in most_telling if name in columns)]
    wide = {name: cell_len(columns[name][0]) for name in (*first, *columns)}
    kept = fitting(wide, width)
    lines, rule = side_by_side([texts for name, texts in columns.items() if name in kept])
    lines.insert(2, rule)
    lines.insert(-1, rule)
    return "\n".join([*lines, *left_out(list(columns), kept, width)]) + "\n"


def _csv(rows: Sequence[PivotRow], names: Sequence[str]) -> str:
    deviations = [name + STD for name in names] if any(row.deviations for row in rows) else []
    marks = ["marks"] if any(row.marks for row in rows) else []
    why = ["why_not"] if any(row.why_not for row in rows) else []
    place_names = ["level", "model", "dataset", "length", "label", "seeds"]
    floors = [COLUMN, COLUMN_STANDING] if any(row.floor for row in rows) else []
    head = [*place_names, *names, *deviations, *marks, *why, *floors]
    lines = []
    for row in rows:
        place = row.level, row.model, row.dataset, row.length, row.label, row.seeds
        spread = row.deviations or (None,) * len(deviations)
        marked = (" ".join(row.marks) or None for _ in marks)
        why_not = (row.why_not or None for _ in why)
        stands = (row.floor, row.vs_floor) if floors else ()
        figures = exact_figures(row, names).values()
        lines.append([*place, *figures, *spread, *marked, *why_not, *stands])
    return "".join(csv_pieces([head, *lines]))


def _markdown(rows: Sequence[PivotRow], names: Sequence[str]) -> str:
    rows = for_people(rows)
    places = places_shown(rows, names)
    lines = [[HEADING, *(names[place] for place in places)]]
    for row in rows:
        label = "&nbsp;" * INDENT[row.level] + markdown_cell(printable(row.label))
        strong = "" if _is_plain(row) else "**"
        texts = pivot_texts(row, names)
        lines.append([f"{strong}{label}{strong}", *(markdown_cell(texts[p]) for p in places)])
    return markdown_table(lines, [False, *[True] * len(places)])


def _latex(rows: Sequence[PivotRow], names: Sequence[str]) -> str:
    r"""Write a LaTeX table, for ``\usepackage{booktabs}``."""
    rows = for_people(rows)
    places = places_shown(rows, names)
    heads = zip(("", HEADING), *(split_heading(names[place]) for place in places), strict=True)
    lines: list[Sequence[str] | str] = []
    for row in rows:
        if row.level == "total":
            lines.append(r"\midrule")
        label = tex(printable(row.label))
        if not _is_plain(row):
            label = rf"\textbf{{{label}}}"
        indent = rf"\hspace*{{{INDENT[row.level] / 2:g}em}}" if INDENT[row.level] else ""
        texts = pivot_texts(row, names)
        lines.append([indent + label, *(tex(texts[place]) for place in places)])
    return tabular(list(heads), lines, [False, *[True] * len(places)])


def _is_plain(row: PivotRow) -> bool:
    return row.is_cell or row.level in BESIDE


def _digests(row: PivotRow) -> dict[str, str]:
    """What a cell is, beyond its model, data set and length."""
    if not row.cell:
        return {}
    cell = Cell.named(row.cell)
    return {"profile": cell.profile, "settings": cell.settings, "checksum": cell.checksum}


def _json(rows: Sequence[PivotRow], names: Sequence[str]) -> str:
    content = []
    for row in rows:
        spread = dict(zip(names, row.deviations, strict=True)) if row.deviations else None
        figures = exact_figures(row, names)
        digits = {name: f"{each:f}" for name, each in figures.items() if isinstance(each, Decimal)}
        content.append(
            {
                "level": row.level,
                "model": row.model or None,
                "dataset": row.dataset or None,
                "length": row.length,
                "label": row.label,
                **_digests(row),
                "seeds": row.seeds,
                **({"marks": list(row.marks)} if row.marks else {}),
                "figures": figures,
                "deviations": spread,
                **({COLUMN: row.floor, COLUMN_STANDING: row.vs_floor} if row.is_cell else {}),
                **({"why_not": row.why_not or None} if row.level == "verdict" else {}),
                **({"digits": digits} if digits else {}),
            }
        )
    text = json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False, default=float)
    return text + "\n"


def _sheet(rows: Sequence[PivotRow], names: Sequence[str]) -> bytes:
    """Write an outline: header and labels stay in sight, models and data sets fold."""
    with workbook() as made:
        _write_sheet(made.book, rows, names)
    return made.content


def _write_sheet(book: Any, rows: Sequence[PivotRow], names: Sequence[str]) -> None:
    sheet = book.add_worksheet("Pivot")
    sheet.outline_settings(symbols_below=False)
    sheet.freeze_panes(1, 1)
    head = book.add_format(
        {"bold": True, "bottom": 1, "text_wrap": True, "align": "right", "valign": "bottom"}
    )
    sheet.write_string(0, 0, HEADING, book.add_format({"bold": True, "bottom": 1}))
    places = places_shown(rows, names)
    for column, place in enumerate(places, 1):
        sheet.write_string(0, column, names[place], head)
    formats = {
        (kind, strong): book.add_format({"num_format": shown, "bold": strong})
        for kind, shown in NUMBER_FORMATS.items()
        for strong in (False, True)
    }
    right = book.add_format({"align": "right"})
    for number, row in enumerate(rows, 1):
        strong = not _is_plain(row)
        label = book.add_format({"bold": strong, "indent": INDENT[row.level] // 2})
        sheet.write_string(number, 0, printable(row.label), label)
        depth = {"model": 0, "total": 0, "dataset": 1, "length": 2}.get(row.level, 3)
        sheet.set_row(number, None, None, {"level": depth})
        for column, place in enumerate(places, 1):
            value = row.figures[place]
            if isinstance(value, Decimal):
                own = book.add_format({"num_format": f"#,##{abs(value) * 0:f}"})  # #,##0.000
                sheet.write_number(number, column, float(value), own)
            elif isinstance(value, int | float):
                shown = formats[kind_of(names[place]), strong]
                sheet.write_number(number, column, value, shown)
            elif isinstance(value, str):
                sheet.write_string(number, column, value, right)
    sheet.set_column(0, 0, 1.1 * max([len(HEADING), *(len(row.label) + 6 for row in rows)]))
    sheet.set_column(1, len(places), 14)
