"""A report's Markdown as sections of texts and tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path


@dataclass
class Part:
    """A paragraph, an item of a list, a line of code, a picture's description, or a table."""

    kind: str
    section: str
    place: str
    """The heading within the section."""
    caption: str
    text: str = ""
    rows: list[list[str]] = field(default_factory=list)
    above: str = ""
    """The caption of the table above, if there is one in the section."""


def plain(text: str) -> str:
    """The text as it is read, without marks of markup."""
    return unescape(re.sub(r"\\(\W|_)", r"\1", text)).replace("**", "").strip()


def parts(path: Path) -> Iterator[Part]:
    """Yield the parts of a report in order."""
    section = place = caption = above = ""
    table: Part | None = None
    code = False
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("```"):
            code = not code
            continue
        if line.startswith("|") and not code:
            if table is None:
                table = Part("table", section, place, caption)
            cells = re.split(r"(?<!\\)\|", line.strip()[1:-1])
            if not all(re.fullmatch(r"\s*-+:?\s*", cell) for cell in cells):
                table.rows.append([plain(cell) for cell in cells])
            continue
        if table is not None:
            yield table
            table, caption, above = None, "", table.caption
        if not line.strip():
            continue
        if code:
            yield Part("code", section, place, caption, line)
        elif line.startswith("## "):
            section, place, caption, above = plain(line[3:]), "", "", ""
        elif line.startswith("### "):
            place, caption = plain(line[4:]), ""
        elif line.startswith("# "):
            yield Part("title", section, place, caption, plain(line[2:]))
        elif found := re.fullmatch(r"\*\*(.*)\*\*", line):
            caption = plain(found[1])
            yield Part("caption", section, place, caption, caption)
        elif found := re.fullmatch(r"!\[(.*)\]\((.*)\)|_(.*)_", line):
            yield Part("picture", section, place, caption, plain(found[1] or found[3]))
        else:
            yield Part("text", section, place, caption, plain(line.removeprefix("- ")), above=above)
    if table is not None:
        yield table
