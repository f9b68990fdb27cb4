"""Text that tries to act on the terminal or the app that shows it, and what would show that it
did."""

from __future__ import annotations

import unicodedata
from typing import Any

from pilots import painted
from textual.app import App

MARK = "HOSTILE"
"""Stands in the text, so that a test knows that it was shown at all."""

ACTING = (
    "[red]HOSTILE[/] [/] [/nothing] [@click=app.evil]click[/] [link=http://evil]x[/link] $primary"
    "\x1b[2J\x1b[31m\x1b]0;evil\x07\x1b]52;c;ZXZpbA==\x07\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\"
    "\x9b2J\x9d0;evil\x9c\x90evil\x9c\b\b\b\x00\x07\x7f one\r\ntwo\ttab\x0b\x0c\x85\u2028end"
    "\u202eRTL\u202c\u2066\u200f\u061c\ufeff\u200d\U000e0041 漢字 e\u0301\u0302\u0303\u0304\u0305"
)
"""Markup, escape sequences, control, direction, wide and combining characters."""

HUGE = "HOSTILE " + ACTING * 3_000
"""A megabyte without an end of line that Textual would see."""

FORBIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def harms(text: str) -> set[str]:
    """Characters that a terminal acts on, or that it draws elsewhere than they stand."""
    return {hex(ord(c)) for c in set(text) if unicodedata.category(c) in FORBIDDEN}


def screen_lines(app: App[Any]) -> list[str]:
    """What is on the screen, once it is seen to be harmless and in its place."""
    width, height = app.size
    strips = painted(app)
    assert len(strips) == height
    lines = []
    for y, strip in enumerate(strips):
        lines.append(strip.text)
        assert not harms(strip.text), f"line {y} acts: {strip.text!r}"
        assert strip.cell_length == width, f"line {y} is {strip.cell_length} cells wide"
        for segment in strip:
            style = segment.style
            assert style is None or style.link is None, f"a link in line {y}"
            assert style is None or "evil" not in str(style.meta), f"an action in line {y}"
    return lines
