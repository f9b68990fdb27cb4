"""A pivot as text and as a sheet: table, Markdown, LaTeX and XLSX for people, CSV and JSON with
every column for programs.

The same pivot gives the same bytes, but for the sheet, which is a ZIP file.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Literal, get_args

from engine.analysis.comparison import (
    STD,
    Kind,
    Value,
    figure,
    kind_of,
    split_heading,
    with_deviation,
    with_sign,
)
from engine.analysis.export import (
    aligned,
    csv_text,
    markdown_cell,
    markdown_table,
    printable,
    side_by_side,
)
from engine.analysis.pivot.arranged import BESIDE, COLUMNS, Level, PivotRow, places_shown
from engine.analysis.reference import digits_text
from engine.cell import Cell
from engine.errors import UsageError, did_you_mean

Format = Literal["table", "csv", "md", "latex", "json", "xlsx"]
FORMATS: tuple[Format, ...] = get_args(Format)
ENDINGS: dict[str, Format] = {
    ".xlsx": "xlsx",
    ".csv": "csv",
    ".md": "md",
    ".tex": "latex",
    ".json": "json",
    ".txt": "table",
}
"""What a file's name says of its format."""
HEADING = "Row Labels"

INDENT: dict[Level, int] = {
    "model": 0,
    "dataset": 2,
    "length": 4,
    **dict.fromkeys(BESIDE, 6),
    "total": 0,
}
"""Blanks before a row's label."""
_NUMBERS: dict[Kind, str] = {
    "whole": "#,##0",
    "metric": "0.0000",
    "seconds": "#,##0.00",
    "rate": "0.00E+00",
    "real": "0.000",
    "text": "General",
}
"""How a spreadsheet shows each kind."""
_TEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "−": "$-$",
    "–": "--",
    "“": "``",
    "”": "''",
}


def format_pivot(rows: Sequence[PivotRow], format: str) -> str | bytes:  # noqa: A002
    """Write the pivot in one of `FORMATS`; a sheet is bytes, the others text.

    Raises:
        UsageError: there is no such format.
    """
    match format.strip().lower():
        case "table":
            return _table(rows)
        case "csv":
            return _csv(rows)
        case "md":
            return _markdown(rows)
        case "latex":
            return _latex(rows)
        case "json":
            return _json(rows)
        case "xlsx":
            return _sheet(rows)
        case _:
            raise UsageError(f"there is no format {format!r}: {did_you_mean(format, FORMATS)}")


def for_people(rows: Sequence[PivotRow]) -> list[PivotRow]:
    """Put each difference's margin beside it instead of below, and drop rows of verdicts without
    any."""
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


def pivot_texts(row: PivotRow) -> list[str]:
    """Format a row's figures for people, in the order of `COLUMNS`."""
    texts = []
    for place, (name, value) in enumerate(zip(COLUMNS, row.figures, strict=True)):
        kind = kind_of(name)
        text = _text(value, kind, row.level)
        deviation = row.deviations[place] if row.deviations else None
        texts.append(with_deviation(text, deviation, kind))
    return texts


def _text(value: Value | Decimal, kind: Kind, level: Level) -> str:
    if value is None or isinstance(value, str):
        # Nothing to be said is no gap in what was measured.
        return value or ("" if level in BESIDE else "–")
    if isinstance(value, Decimal):
        return digits_text(value)
    if level == "difference":
        return with_sign(figure(abs(value), kind), value)
    return figure(value, kind)


def _table(rows: Sequence[PivotRow]) -> str:
    if not rows:
        return "No run is done.\n"
    rows = for_people(rows)
    labels = [" " * INDENT[row.level] + printable(row.label) for row in rows]
    columns = [aligned(["", HEADING, *labels], right=False)]
    figures = [pivot_texts(row) for row in rows]
    for place in places_shown(rows):
        head = split_heading(COLUMNS[place])
        columns.append(aligned([*head, *(texts[place] for texts in figures)], right=True))
    lines, rule = side_by_side(columns)
    lines.insert(2, rule)
    lines.insert(-1, rule)
    return "\n".join(lines) + "\n"


def _csv(rows: Sequence[PivotRow]) -> str:
    deviations = [name + STD for name in COLUMNS] if any(row.deviations for row in rows) else []
    marks = ["marks"] if any(row.marks for row in rows) else []
    why = ["why_not"] if any(row.why_not for row in rows) else []
    place_names = ["level", "model", "dataset", "length", "label", "seeds"]
    head = [*place_names, *COLUMNS, *deviations, *marks, *why]
    lines = []
    for row in rows:
        place = row.level, row.model, row.dataset, row.length, row.label, row.seeds
        spread = row.deviations or (None,) * len(deviations)
        marked = (" ".join(row.marks) or None for _ in marks)
        lines.append([*place, *row.figures, *spread, *marked, *(row.why_not or None for _ in why)])
    return csv_text([head, *lines])


def _markdown(rows: Sequence[PivotRow]) -> str:
    rows = for_people(rows)
    places = places_shown(rows)
    lines = [[HEADING, *(COLUMNS[place] for place in places)]]
    for row in rows:
        label = "&nbsp;" * INDENT[row.level] + markdown_cell(printable(row.label))
        strong = "" if _is_plain(row) else "**"
        texts = pivot_texts(row)
        lines.append([f"{strong}{label}{strong}", *(markdown_cell(texts[p]) for p in places)])
    return markdown_table(lines, [False, *[True] * len(places)])


def _latex(rows: Sequence[PivotRow]) -> str:
    r"""Write a LaTeX table, for ``\usepackage{booktabs}``."""
    rows = for_people(rows)
    places = places_shown(rows)
    heads = [split_heading(COLUMNS[place]) for place in places]
    lines = [r"\begin{tabular}{l" + "r" * len(places) + "}", r"\toprule"]
    lines += [" & ".join(["", *(_tex(first) for first, _ in heads)]) + r" \\"]
    lines += [" & ".join([HEADING, *(_tex(second) for _, second in heads)]) + r" \\", r"\midrule"]
    for row in rows:
        if row.level == "total":
            lines.append(r"\midrule")
        label = _tex(printable(row.label))
        if not _is_plain(row):
            label = rf"\textbf{{{label}}}"
        indent = rf"\hspace*{{{INDENT[row.level] / 2:g}em}}" if INDENT[row.level] else ""
        texts = pivot_texts(row)
        figures = [_tex(texts[place]) for place in places]
        lines.append(" & ".join([indent + label, *figures]) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def _is_plain(row: PivotRow) -> bool:
    return row.is_cell or row.level in BESIDE


def _tex(text: str) -> str:
    return "".join(_TEX.get(character, character) for character in text)


def _digests(row: PivotRow) -> dict[str, str]:
    """What a cell is, beyond its model, data set and length."""
    if not row.cell:
        return {}
    cell = Cell.named(row.cell)
    return {"profile": cell.profile, "settings": cell.settings, "checksum": cell.checksum}


def _json(rows: Sequence[PivotRow]) -> str:
    content = []
    for row in rows:
        spread = dict(zip(COLUMNS, row.deviations, strict=True)) if row.deviations else None
        figures = dict(zip(COLUMNS, row.figures, strict=True))
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
                **({"why_not": row.why_not or None} if row.level == "verdict" else {}),
                **({"digits": digits} if digits else {}),
            }
        )
    text = json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False, default=float)
    return text + "\n"


def _sheet(rows: Sequence[PivotRow]) -> bytes:
    """Write an outline: header and labels stay in sight, models and data sets fold."""
    import xlsxwriter  # a twentieth of a second, which the other formats needn't spend

    out = io.BytesIO()
    # Texts stay texts: no formula, link or number is made of what a run is called.
    plain = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(out, {"in_memory": True, **plain})
    book.set_properties({"created": datetime(1980, 1, 1)})  # the same rows are the same bytes
    sheet = book.add_worksheet("Pivot")
    sheet.outline_settings(symbols_below=False)
    sheet.freeze_panes(1, 1)
    head = book.add_format(
        {"bold": True, "bottom": 1, "text_wrap": True, "align": "right", "valign": "bottom"}
    )
    sheet.write_string(0, 0, HEADING, book.add_format({"bold": True, "bottom": 1}))
    places = places_shown(rows)
    for column, place in enumerate(places, 1):
        sheet.write_string(0, column, COLUMNS[place], head)
    formats = {
        (kind, strong): book.add_format({"num_format": shown, "bold": strong})
        for kind, shown in _NUMBERS.items()
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
                shown = formats[kind_of(COLUMNS[place]), strong]
                sheet.write_number(number, column, value, shown)
            elif isinstance(value, str):
                sheet.write_string(number, column, value, right)
    sheet.set_column(0, 0, 1.1 * max([len(HEADING), *(len(row.label) + 6 for row in rows)]))
    sheet.set_column(1, len(places), 14)
    book.close()
    return out.getvalue()
