"""A report as one HTML file: no script, nothing from elsewhere, light and dark, for paper too."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path

from engine.analysis.export import printable
from engine.report.blocks import (
    Block,
    Bullets,
    Cell,
    Commands,
    Paragraph,
    Plot,
    Report,
    Section,
    Subheading,
    Table,
)

_STYLE = Path(__file__).with_name("page.css")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""A browser that keeps to it loads nothing, whatever a run is called."""

SHORT = 24
"""Characters of a cell's text that is never broken."""


def html(report: Report) -> str:
    """The page, ending in a newline."""
    title = _text(report.title)
    contents = "".join(
        f'<li><a href="#{section.anchor}">{_text(section.title)}</a></li>'
        for section in report.sections
    )
    about = "".join(f"<p>{_text(line)}</p>" for line in report.about)
    body = "\n".join(_section(section) for section in report.sections)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY, quote=True)}">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>
{_STYLE.read_text(encoding="utf-8")}</style>
</head>
<body>
<header>
<h1>{title}</h1>
<div class="about">{about}</div>
<nav aria-label="Contents"><ol>{contents}</ol></nav>
</header>
<main>
{body}
</main>
</body>
</html>
"""


def _section(section: Section) -> str:
    blocks = "\n".join(text for block in section.blocks for text in _block(block))
    return f'<section id="{section.anchor}">\n<h2>{_text(section.title)}</h2>\n{blocks}\n</section>'


def _block(block: Block) -> Iterator[str]:
    match block:
        case Subheading():
            yield f"<h3>{_text(block.text)}</h3>"
        case Paragraph():
            kind = ' class="quiet"' if block.quiet else ""
            yield f"<p{kind}>{_text(block.text)}</p>"
        case Bullets():
            items = "".join(f"<li>{_text(item)}</li>" for item in block.items)
            yield f"<ul>{items}</ul>"
        case Commands():
            lines = "\n".join(_text(line) for line in block.lines)
            yield f'<pre tabindex="0"><code>{lines}</code></pre>'
        case Table():
            yield _table(block)
        case Plot():
            caption = f"<figcaption>{_text(block.caption)}</figcaption>" if block.caption else ""
            yield f"<figure>{caption}{_labelled(block)}</figure>"


def _labelled(plot: Plot) -> str:
    """For those who don't see it too."""
    return plot.svg.replace(
        "<svg ", f'<svg role="img" aria-label="{escape(printable(plot.alt), quote=True)}" ', 1
    )


def _table(block: Table) -> str:
    caption = f"<caption>{_text(block.caption)}</caption>" if block.caption else ""
    head = "".join(
        f'<th scope="col"{_right(place, block)}>{_text(name).replace("/", "/<wbr>")}</th>'
        for place, name in enumerate(block.head)
    )
    rows = []
    for number, row in enumerate(block.rows):
        cells = "".join(_cell(cell, place, block) for place, cell in enumerate(row))
        strong = ' class="sum"' if number in block.strong else ""
        rows.append(f"<tr{strong}>{cells}</tr>")
    wide = " wide" if len(block.head) > 9 else ""
    return (
        f'<div class="table{wide}" tabindex="0"><table>{caption}<thead><tr>{head}</tr></thead>\n'
        f"<tbody>{chr(10).join(rows)}</tbody></table></div>"
    )


def _cell(cell: Cell, place: int, block: Table) -> str:
    if len(cell.lines) > 1:
        text = "<ul>" + "".join(f"<li>{_text(line)}</li>" for line in cell.lines) + "</ul>"
    else:
        text = _text(cell.lines[0]) if cell.lines else ""
    text = text.replace(" ± ", " ±&nbsp;")
    if cell.strong:
        text = f"<strong>{text}</strong>"
    if place == 0:
        indent = f' class="in{cell.indent}"' if cell.indent else ""
        return f'<th scope="row"{indent}>{text}</th>'
    short = len(cell.lines) == 1 and len(cell.lines[0]) <= SHORT
    kind = _right(place, block) or (' class="short"' if short else "")
    return f"<td{kind}>{text}</td>"


def _right(place: int, block: Table) -> str:
    return ' class="figure"' if place in block.figures else ""


def _text(text: str) -> str:
    return escape(printable(text), quote=True)
