"""Writes a report as GitHub Markdown; its plots are files beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from engine.analysis.columns.text import COMMAND, printable
from engine.analysis.export import markdown_cell, markdown_table
from engine.report.blocks import (
    Block,
    Bullets,
    Cell,
    Commands,
    Paragraph,
    Plot,
    Report,
    Subheading,
    Table,
)


def markdown(report: Report, plots: PurePosixPath | None) -> str:
    """Render the text, which ends in a newline.

    Args:
        plots: the folder of `plot_files` as links in the text refer to it; ``None`` replaces each
            plot by its description.
    """
    parts = [f"# {_text(report.title)}", "  \n".join(map(_text, report.about))]
    for section in report.sections:
        parts.append(f"## {_text(section.title)}")
        parts += (text for block in section.blocks for text in _block(block, plots))
    return "\n\n".join(part.rstrip("\n") for part in parts if part) + "\n"


def plot_files(report: Report) -> dict[str, str]:
    """Draw the plots; return their SVG by file name."""
    return {
        f"{block.name}.svg": block.svg
        for section in report.sections
        for block in section.blocks
        if isinstance(block, Plot)
    }


def _block(block: Block, plots: PurePosixPath | None) -> Iterator[str]:
    match block:
        case Subheading():
            yield f"### {_text(block.text)}"
        case Paragraph():
            yield _text(block.text)
        case Bullets():
            yield "\n".join(f"- {_text(item)}" for item in block.items)
        case Commands():
            lines = "\n".join(map(printable, block.lines))
            fence = max(["```", *(run + "`" for run in re.findall("`{3,}", lines))], key=len)
            yield f"{fence}sh\n{lines}\n{fence}"
        case Table():
            if block.caption:
                yield f"**{_text(block.caption)}**"
            yield _table(block)
        case Plot():
            if block.caption:
                yield f"**{_text(block.caption)}**"
            name = None if plots is None else plots / f"{block.name}.svg"
            yield f"_{_text(block.alt)}_" if name is None else f"![{_text(block.alt)}]({name})"


def _table(block: Table) -> str:
    lines = [list(map(_text, block.head))]
    for number, row in enumerate(block.rows):
        lines.append([_cell(cell, number in block.strong) for cell in row])
    return markdown_table(lines, [place in block.figures for place in range(len(block.head))])


def _cell(cell: Cell, strong: bool) -> str:
    text = "<br>".join(map(_text, cell.lines))
    if text and (strong or cell.strong):
        text = f"**{text}**"
    return "&nbsp;" * (4 * cell.indent) + text


def _text(text: str) -> str:
    """Escape a text so that no character of it is markup, even at the start of a line; commands in
    it are code."""
    parts = COMMAND.split(printable(text).strip())
    parts[::2] = [re.sub(r"[~$]", r"\\\g<0>", markdown_cell(part)) for part in parts[::2]]
    escaped = "`".join(parts)
    # The escape stands after a list's number, before any other mark.
    return re.sub(r"^(\d+(?=[.)](?:\s|$))|(?=[#=]|[-+](?:[-\s]|$)))", r"\1\\", escaped)
