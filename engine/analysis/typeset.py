"""Tables in LaTeX, and workbooks of XLSX."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.budget import BY_HAND

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

NUMBER_FORMATS = {
    "whole": "#,##0",
    "metric": "0.0000",
    "seconds": "#,##0.00",
    "rate": "0.00E+00",
    "real": "0.000",
    "text": "General",
    "trials": f'[=0]"{BY_HAND}";#,##0',
    "tuning": f'[=0]"{BY_HAND}";#,##0.00',
}
"""How a spreadsheet shows each kind of value (`engine.analysis.columns.definitions.Kind`)."""


def tex(text: str) -> str:
    """Escape a text for LaTeX."""
    return "".join(_TEX.get(character, character) for character in text)


def tabular(
    heads: Sequence[Sequence[str]], lines: Sequence[Sequence[str] | str], right: Sequence[bool]
) -> str:
    r"""Write a LaTeX table, for ``\usepackage{booktabs}``.

    Args:
        heads: the texts of each line of the head, not escaped.
        lines: the cells of each row, escaped; a text stands for itself, as ``\midrule``.
        right: whether a column stands at the right.
    """
    spec = "".join("r" if each else "l" for each in right)
    parts = [rf"\begin{{tabular}}{{{spec}}}", r"\toprule"]
    parts += [" & ".join(map(tex, head)) + r" \\" for head in heads]
    parts.append(r"\midrule")
    parts += [line if isinstance(line, str) else " & ".join(line) + r" \\" for line in lines]
    return "\n".join([*parts, r"\bottomrule", r"\end{tabular}"]) + "\n"


@dataclass
class Workbook:
    """A workbook that is being made.

    Attributes:
        book: the `xlsxwriter.Workbook`.
        content: its bytes, once it is closed.
    """

    book: Any
    content: bytes = b""


@contextmanager
def workbook() -> Iterator[Workbook]:
    """Make a workbook of which the same rows give the same bytes. Texts in it stay texts: no
    formula, link or number is made of what a run is called."""
    import xlsxwriter  # a twentieth of a second, which the other formats needn't spend

    out = io.BytesIO()
    plain = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    made = Workbook(xlsxwriter.Workbook(out, {"in_memory": True, **plain}))
    made.book.set_properties({"created": datetime(1980, 1, 1)})
    yield made
    made.book.close()
    made.content = out.getvalue()
