"""Writes a report as one HTML file without scripts or external resources, for light and dark
screens and for print."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from engine.analysis.columns.text import COMMAND, printable
from engine.report.blocks import Cell, Report

_FOLDER = Path(__file__).parent
_SHORT = 24
"""Characters of a cell's text that is never broken."""
_WIDE = 9
"""Columns of a table; one with more is in smaller letters."""


def html(report: Report) -> str:
    """Render the page. Names of runs are escaped, and its content security policy keeps a browser
    from loading anything."""
    style = (_FOLDER / "page.css").read_text(encoding="utf-8")
    return _template().render(report=report, style=style, wide=_WIDE)


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalized,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "coded": _coded,
        "is_short": _is_short,
        "kind": lambda block: type(block).__name__,
        "printable": printable,
        "unbroken": _unbroken,
    }
    return environment.get_template("page.html")


def _finalized(value: Any) -> Any:
    """Strip unprintable characters from each text of the page before it is escaped."""
    return printable(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def _coded(text: str) -> Markup:
    """Escape a text, and mark the commands in it as code."""
    parts = [escape(part) for part in COMMAND.split(printable(text))]
    parts[1::2] = [Markup("<code>{}</code>").format(part) for part in parts[1::2]]
    return Markup("").join(parts)


def _is_short(cell: Cell) -> bool:
    return len(cell.lines) == 1 and len(cell.lines[0]) <= _SHORT


def _unbroken(line: str) -> Markup:
    """Escape a text so that no line break separates ± from the deviation behind it."""
    return _coded(line).replace(" ± ", Markup(" ±&nbsp;"))
