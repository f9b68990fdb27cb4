"""The glyph, colour and meaning of each state of a run, everywhere the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.style import Style

if TYPE_CHECKING:
    from textual.app import App

NEVER = "never"

STATES = ("running", "queued", "done", "failed", "lost", "cancelled")
"""States of a run, the most pressing first: a cell with several shows the first."""

STATE_GLYPH = {
    NEVER: "·",
    "queued": "○",
    "running": "◐",
    "done": "●",
    "failed": "✗",
    "cancelled": "⊘",
    "lost": "?",
}

IMPORTED = "↓"
"""Shown instead of the state of a run that another program trained."""

ANNOTATED = "✎"
"""Stands beside a run that has a note or tags."""

MARKED = "!"
"""Shown before a value of a disturbed run (`engine.marks`)."""

STATE_STYLE = {state: f"$state-{state}" for state in STATE_GLYPH}
"""Theme variable of each state, for style sheets and `Content` spans."""

STATE_MEANING = {
    NEVER: "not run yet",
    "queued": "waits for its turn",
    "running": "is training now",
    "done": "finished; its result counts",
    "failed": "ended with an error: see its log, then retry",
    "cancelled": "stopped by you; retry resumes from the last checkpoint",
    "lost": "its process vanished; it is retried a few times",
}


def glyph(state: str) -> str:
    """Look up the character of a state; ``?`` for a state that this version doesn't know."""
    return STATE_GLYPH.get(state, "?")


def style_variable(state: str) -> str:
    """Look up the theme variable of a state, such as ``$state-done``."""
    return STATE_STYLE.get(state, STATE_STYLE["lost"])


def rich_style(app: App[Any], variable: str) -> Style:
    """Make a Rich style in the colour of a theme variable (``$state-done``), for the Line API."""
    # The commands, which write states too, do without Textual.
    from textual.color import Color

    value = app.theme_variables.get(variable.removeprefix("$"), "ansi_default")
    return Style(color=Color.parse(value).rich_color)
