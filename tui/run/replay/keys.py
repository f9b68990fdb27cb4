"""Actions while a run is replayed: their keys, labels and help."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from tui.charts.keys import VIEW, ZOOM
from tui.shell.action import Action

_replay = partial(Action, screens=("replay",))
_shown = partial(_replay, show=True)

REPLAY = (
    _shown("dismiss", ("escape", "backspace", "R"), "Back", "Back to where you came from",
           slug="close"),
    _shown("play", ("space",), "Play", "Let time pass, or stop it"),
    _shown("faster(1)", ("up",), "Faster", "Let it pass faster, up to 1000 times"),
    _replay("faster(-1)", ("down",), "Slower", "Let it pass slower"),
    _shown("move(-1)", ("left",), "Back", "Back by one cell of the slider"),
    _shown("move(1)", ("right",), "On", "On by one cell of the slider"),
    _replay("move(-10)", ("pageup",), "Far back", "Back by ten cells"),
    _replay("move(10)", ("pagedown",), "Far on", "On by ten cells"),
    _replay("go('start')", ("home",), "Start", "To the first moment"),
    _replay("go('end')", ("end",), "End", "To the last moment"),
    _replay("epoch(-1)", ("j",), "Epoch back", "To the end of the epoch before"),
    _replay("epoch(1)", ("k",), "Epoch on", "To the end of the next epoch"),
    _shown("next_chart", ("g",), "Chart", "Show the next chart large, or all again"),
    *(replace(action, screens=("replay",), show=False) for action in (*VIEW, *ZOOM)),
)  # fmt: skip
