"""A file of configuration as it is shown before it is written."""

from __future__ import annotations

from textual.content import Content

from tui.shell.text import PARAGRAPH, plain


def yaml_text(text: str) -> Content:
    """Write a file of configuration, its keys quieter than its values."""
    lines = []
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        listed = line.lstrip().startswith("-")
        parts = (line, "$text-muted") if listed else (f"{key}{colon}", "$text-muted")
        lines.append(Content.assemble(parts, ("" if listed else plain(value, PARAGRAPH), "")))
    return Content("\n").join(lines)
