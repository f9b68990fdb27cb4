"""Drawing in ASCII, for terminals and locales that know nothing else.

All that the app writes to its terminal passes `to_ascii`, so that screens needn't care. A character
is replaced by as many as it takes terminal cells.
"""

from __future__ import annotations

import os
import re
import sys
import unicodedata
from functools import lru_cache

from rich.cells import cell_len

from tui.shell.preferences import Glyphs

_SIGNS = {
    "○": "o", "◐": ">", "●": "*", "✗": "x", "⊘": "/", "‖": "=", "·": ".", "•": "*",
    "✓": "v", "★": "*", "☆": "*", "◆": "*", "◇": "o", "▽": "v", "■": "#", "□": "o", "✎": "&",
    "▲": "^", "▼": "v", "▶": ">", "◀": "<", "►": ">", "◄": "<", "▸": ">", "▾": "v", "▴": "^",
    "↑": "^", "↓": "v", "←": "<", "→": ">", "⏎": "~", "↵": "~", "↕": "|", "↔": "-", "⇅": "|",
    "–": "-", "—": "-", "‐": "-", "−": "-", "…": "~", "±": "+", "×": "x", "÷": "/", "≤": "<",
    "≥": ">", "≈": "~", "≠": "#", "µ": "u", "μ": "u", "σ": "s", "Δ": "d", "°": "'", "∞": "8",
    "“": '"', "”": '"', "‘": "'", "’": "'", "„": '"', "«": "<", "»": ">", "\N{NO-BREAK SPACE}": " ",
}  # fmt: skip

_BARS = dict(zip("▁▂▃▄▅▆▇█", "_.-=+*##", strict=True))
_SHADES = {"░": ".", "▒": ":", "▓": "#"}


def _boxes() -> dict[str, str]:
    """Signs for the lines, boxes and blocks of Unicode (U+2500 to U+259F)."""
    return {chr(code): _box(unicodedata.name(chr(code)).split()) for code in range(0x2500, 0x25A0)}


def _box(name: list[str]) -> str:
    """The sign for a line, box or block with the words of its Unicode name."""
    across = not {"HORIZONTAL", "LEFT", "RIGHT"}.isdisjoint(name)
    along = not {"VERTICAL", "UP", "DOWN"}.isdisjoint(name)
    if "DIAGONAL" in name:
        return "X" if "CROSS" in name else "/" if name[-1] == "LEFT" else "\\"
    if name[0] == "BOX":
        return "+" if across and along else "-" if across else "|"
    return "|" if across else "-" if "UPPER" in name else "#"


def _braille() -> dict[str, str]:
    """Signs for braille patterns, which curves are made of, by where in the cell their dots are."""
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
    return _braille() | _boxes() | _SHADES | _BARS | _SIGNS


def to_ascii(text: str) -> str:
    """Replace every character that isn't ASCII, keeping the text's width."""
    return text if text.isascii() else _NON_ASCII.sub(lambda found: _replaced(found[0]), text)


@lru_cache(4096)
def _replaced(text: str) -> str:
    """Replace every character of a text without ASCII."""
    table, parts = _table(), []
    for piece in re.split(f"([{re.escape(''.join(table))}]+)", text):
        if piece and piece[0] in table:
            parts.append("".join(table[character] for character in piece))
        elif piece:
            parts.append(_letters(piece))
    return "".join(parts)


def _letters(text: str) -> str:
    """Take accents off letters; write ``?`` a cell for what isn't ASCII without them."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    width = cell_len(text)
    return bare if bare.isascii() and len(bare) == width else "?" * width


def ascii_wanted(chosen: Glyphs) -> bool:
    """Decide whether to draw in ASCII: chosen, or all that the terminal or locale can show."""
    if chosen != "auto":
        return chosen == "ascii"
    # Python takes the locale C for UTF-8, so what it encodes in says too little.
    named = (os.environ.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    encoding = next(filter(None, named), "") or getattr(sys.stdout, "encoding", None) or "ascii"
    utf8 = "utf8" in encoding.lower().replace("-", "")
    return not utf8 or os.environ.get("TERM") == "linux"
