"""Actions on charts, wherever they stand: their keys, labels and help."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from tui.shell.action import Action

_SMALL = ("live", "run")
_NAMED_SMALL = ("smooth", "overlay", "replay")
"""What is named at the bottom where charts are only a part of the screen."""

_chart = partial(Action, screens=("chart",))
_shown = partial(_chart, show=True)

VIEW = (
    _shown("smooth", ("s",), "Smooth", "Smooth the curves: not at all, by .6, by .9"),
    _shown("toggle_log", ("l",), "Log axis", "A logarithmic y axis, or a linear one"),
    _shown("next_unit", ("e",), "X axis", "Epochs, steps or time on x"),
    _shown("overlay", ("o",), "Overlay", "Choose runs to lay over this one, up to 8"),
)

ZOOM = (
    _shown("zoom(2)", ("plus", "equals_sign"), "Nearer", "Look nearer, at the cursor"),
    _shown("zoom(0.5)", ("minus",), "Wider", "See more of x"),
    _shown("show_whole", ("0",), "All", "See all of x, and the newest figures"),
)

_CURSOR = (
    _chart("move_cursor(-1)", ("left",), "Back", "Move the cursor back"),
    _chart("move_cursor(1)", ("right",), "On", "Move the cursor on"),
    _chart("move_cursor(-10)", ("pageup",), "Far back", "Move the cursor far back"),
    _chart("move_cursor(10)", ("pagedown",), "Far on", "Move the cursor far on"),
    _chart("move_cursor(-1000)", ("home",), "Start", "The cursor to the first point"),
    _chart("move_cursor(1000)", ("end",), "End", "The cursor to the newest point"),
)

_OPEN = Action("open_chart", ("c",), "Chart", "One chart on the whole screen", _SMALL, True)
_REPLAY = _shown(
    "replay", ("R",), "Replay", "Go through the run again: charts, devices and log of a moment"
)

CHARTS = (
    _shown("dismiss", ("escape", "backspace", "c"), "Back", "Back to where you came from",
           slug="close"),
    _shown("next_chart", ("g",), "Next", "The next chart"),
    *VIEW,
    *ZOOM,
    *_CURSOR,
    _REPLAY,
    _OPEN,
    *(
        replace(action, screens=_SMALL, show=action.id in _NAMED_SMALL)
        for action in (*VIEW, *ZOOM, *_CURSOR[:2], _REPLAY)
    ),
)  # fmt: skip
