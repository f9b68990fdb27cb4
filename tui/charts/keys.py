"""What can be done with charts, wherever they stand."""

from __future__ import annotations

from dataclasses import replace

from tui.shell.action import Action

_SMALL = ("live", "run")
_NAMED_SMALL = ("smooth", "overlay", "replay")
"""What is named at the bottom where charts are only a part of the screen."""

VIEW = (
    Action("smooth", ("s",), "Smooth", "Smooth the curves: not at all, by .6, by .9", ("chart",),
           True),
    Action("toggle_log", ("l",), "Log axis", "A logarithmic y axis, or a linear one", ("chart",),
           True),
    Action("next_unit", ("e",), "X axis", "Epochs, steps or time on x", ("chart",), True),
    Action("overlay", ("o",), "Overlay", "Choose runs to lay over this one, up to 8", ("chart",),
           True),
)  # fmt: skip

ZOOM = (
    Action("zoom(2)", ("plus", "equals_sign"), "Nearer", "Look nearer, at the cursor", ("chart",),
           True),
    Action("zoom(0.5)", ("minus",), "Wider", "See more of x", ("chart",), True),
    Action("show_whole", ("0",), "All", "See all of x, and the newest figures", ("chart",),
           True),
)  # fmt: skip

_CURSOR = (
    Action("move_cursor(-1)", ("left",), "Back", "Move the cursor back", ("chart",)),
    Action("move_cursor(1)", ("right",), "On", "Move the cursor on", ("chart",)),
    Action("move_cursor(-10)", ("pageup",), "Far back", "Move the cursor far back", ("chart",)),
    Action("move_cursor(10)", ("pagedown",), "Far on", "Move the cursor far on", ("chart",)),
    Action("move_cursor(-1000)", ("home",), "Start", "The cursor to the first point", ("chart",)),
    Action("move_cursor(1000)", ("end",), "End", "The cursor to the newest point", ("chart",)),
)  # fmt: skip

_OPEN = Action("open_chart", ("c",), "Chart", "One chart on the whole screen", _SMALL, True)
_REPLAY = Action(
    "replay", ("R",), "Replay", "Go through the run again: charts, devices and log of a moment",
    ("chart",), True,
)  # fmt: skip

CHARTS = (
    Action("dismiss", ("escape", "backspace", "c"), "Back", "Back to where you came from",
           ("chart",), True, slug="close"),
    Action("next_chart", ("g",), "Next", "The next chart", ("chart",), True),
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
