"""How trials and studies stand: their signs, colours, and what that means."""

from __future__ import annotations

from engine.rungs import PAUSED, PRUNED
from tui.shell.states import glyph, style_variable

_LIKE = {PAUSED: "queued", PRUNED: "cancelled"}
"""Whose colour a trial that is no run's state has."""
_SIGNS = {PAUSED: "‖", PRUNED: "▾"}

MEANINGS = (
    (f"{_SIGNS[PAUSED]} {PAUSED}",
     "waits at its checkpoint: it trains on if it is among the best half of its rung"),
    (f"{_SIGNS[PRUNED]} {PRUNED}",
     "was paused when the study ended: others were better after as many epochs"),
)  # fmt: skip
"""Of how trials stand beside the states of runs."""

_STUDIES = {"done": "done", "stopping": "queued"}
"""The state of runs whose colour a study has, if it isn't that of running ones."""


def sign(standing: str) -> str:
    """Look up the character for how a trial stands."""
    return _SIGNS.get(standing) or glyph(standing)


def style(standing: str) -> str:
    """Look up the theme variable for how a trial stands."""
    return style_variable(_LIKE.get(standing, standing))


def study_style(state: str) -> str:
    """Look up the theme variable for how a study stands."""
    return style_variable(_STUDIES.get(state, "running"))
