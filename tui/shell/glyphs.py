"""What is drawn, in ASCII: for terminals and locales that know nothing else.

Everything that the app writes to its terminal comes by `to_ascii`, so that no screen has to think
of it. Each character becomes as many as it takes cells.
"""

from __future__ import annotations

import os
import re
import sys
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.shell.preferences import Glyphs

_SIGNS = {
    "○": "o", "◐": ">", "●": "*", "✗": "x", "⊘": "/", "‖": "=", "·": ".", "•": "*",
    "✓": "v", "★": "*", "☆": "*", "◆": "*", "◇": "o", "■": "#", "□": "o",
    "▲": "^", "▼": "v", "▶": ">", "◀": "<", "►": ">", "◄": "<", "▸": ">", "▾": "v", "▴": "^",
    "↑": "^", "↓": "v", "←": "<", "→": ">", "⏎": "~", "↵": "~", "↕": "|", "↔": "-", "⇅": "|",
    "–": "-", "—": "-", "‐": "-", "−": "-", "…": "~", "±": "+", "×": "x", "÷": "/", "≤": "<",
    "≥": ">", "≈": "~", "≠": "#", "µ": "u", "μ": "u", "σ": "s", "Δ": "d", "°": "'", "∞": "8",
    "“": '"', "”": '"', "‘": "'", "’": "'", "„": '"', "«": "<", "»": ">", "\N{NO-BREAK SPACE}": " ",
}  # fmt: skip

_BARS = dict(zip("▁▂▃▄▅▆▇█", "_.-=+*##", strict=True))
_SHADES = {"░": ".", "▒": ":", "▓": "#"}


def _drawn() -> dict[str, str]:
    """Lines, boxes and blocks, by what Unicode calls them."""
    return {chr(code): _line(unicodedata.name(chr(code)).split()) for code in range(0x2500, 0x25A0)}


def _line(name: list[str]) -> str:
    across = not {"HORIZONTAL", "LEFT", "RIGHT"}.isdisjoint(name)
    along = not {"VERTICAL", "UP", "DOWN"}.isdisjoint(name)
    if "DIAGONAL" in name:
        return "X" if "CROSS" in name else "/" if name[-1] == "LEFT" else "\\"
    if name[0] == "BOX":
        return "+" if across and along else "-" if across else "|"
    return "|" if across else "-" if "UPPER" in name else "#"


def _braille() -> dict[str, str]:
    """A curve's dots: where in the cell they stand is all that is left of them."""
    rows = (0x01 | 0x08, 0x02 | 0x10, 0x04 | 0x20, 0x40 | 0x80)
    found = {"\u2800": " "}
    for dots in range(1, 256):
        touched = [row for row, bits in enumerate(rows) if dots & bits]
        top, bottom = touched[0], touched[-1]
        if bottom - top > 1:
            sign = "|" if dots.bit_count() <= len(touched) else ":"
        else:
            sign = "'" if top == 0 else "." if bottom == 3 else "-"
        found[chr(0x2800 + dots)] = sign
    return found


_NON_ASCII = re.compile(r"[^\x00-\x7f]+")


@lru_cache(1)
def _table() -> dict[str, str]:
    return _braille() | _drawn() | _SHADES | _BARS | _SIGNS


def to_ascii(text: str) -> str:
    """The text with every character that isn't ASCII replaced, as wide as before."""
    return text if text.isascii() else _NON_ASCII.sub(lambda found: _run(found[0]), text)


@lru_cache(4096)
def _run(text: str) -> str:
    """Characters without ASCII among them."""
    table, parts = _table(), []
    for piece in re.split(f"([{re.escape(''.join(table))}]+)", text):
        if piece and piece[0] in table:
            parts.append("".join(table[character] for character in piece))
        elif piece:
            parts.append(_letters(piece))
    return "".join(parts)


def _letters(text: str) -> str:
    """Letters without their accents; ``?`` for what has no likeness, as wide as it is."""
    from rich.cells import cell_len

    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    width = cell_len(text)
    return bare if bare.isascii() and len(bare) == width else "?" * width


def ascii_wanted(chosen: Glyphs) -> bool:
    """Whether to draw in ASCII: chosen, or all that the terminal or the locale can show."""
    if chosen != "auto":
        return chosen == "ascii"
    # Python takes the locale C for UTF-8, so what it encodes in says too little.
    named = (os.environ.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    encoding = next(filter(None, named), "") or getattr(sys.stdout, "encoding", None) or "ascii"
    utf8 = "utf8" in encoding.lower().replace("-", "")
    return not utf8 or os.environ.get("TERM") == "linux"
