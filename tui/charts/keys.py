"""Actions on charts, wherever they stand: their keys, labels and help."""

from __future__ import annotations

from functools import partial

from tui.shell.action import Action

_SMALL = ("live", "run")
_NAMED_SMALL = ("smooth", "overlay", "replay")
"""What is named at the bottom where charts are only a part of the screen."""

_chart = partial(Action, screens=("chart",))
_shown = partial(_chart, show=True)

VIEW = (
    _shown("smooth", ("s",), "Smooth", "Smoothing: off, 0.6 or 0.9"),
    _shown("toggle_log", ("l",), "Log", "Logarithmic or linear y axis"),
    _shown("next_unit", ("e",), "X axis", "Epochs, steps or time on the x axis"),
    _shown("overlay", ("o",), "Overlay", "Overlay other runs on this one, up to 8 in all"),
)

ZOOM = (
    _shown("zoom(2)", ("plus", "equals_sign"), "Zoom in", "Zoom in at the cursor"),
    _shown("zoom(0.5)", ("minus",), "Zoom out", "Zoom out"),
    _shown("show_whole", ("0",), "Fit", "Show the whole run, and the latest values"),
)

_CURSOR = (
    _chart("move_cursor(-1)", ("left",), "Left", "Move the cursor left"),
    _chart("move_cursor(1)", ("right",), "Right", "Move the cursor right"),
    _chart("move_cursor(-10)", ("pageup",), "Far left", "Move the cursor ten cells left"),
    _chart("move_cursor(10)", ("pagedown",), "Far right", "Move the cursor ten cells right"),
    _chart("move_cursor(-1000)", ("home",), "Start", "Move the cursor to the first point"),
    _chart("move_cursor(1000)", ("end",), "End", "Move the cursor to the latest point"),
)

_OPEN = Action("open_chart", ("c",), "Chart", "Show one chart full screen", _SMALL, True)
_REPLAY = _shown(
    "replay", ("R",), "Replay", "Replay the run: charts, devices and log at any moment"
)

CHARTS = (
    _shown("dismiss", ("escape", "backspace", "c"), "Back", "Back to the previous screen",
           slug="close"),
    _shown("next_chart", ("g",), "Next", "Show the next chart"),
    *VIEW,
    *ZOOM,
    *_CURSOR,
    _REPLAY,
    _OPEN,
    *(
        action._replace(screens=_SMALL, show=action.id in _NAMED_SMALL)
        for action in (*VIEW, *ZOOM, *_CURSOR[:2], _REPLAY)
    ),
)  # fmt: skip
