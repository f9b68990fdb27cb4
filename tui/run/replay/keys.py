"""Actions while a run is replayed: their keys, labels and help."""

from __future__ import annotations

from functools import partial

from tui.charts.keys import VIEW, ZOOM
from tui.shell.action import Action

_replay = partial(Action, screens=("replay",))
_shown = partial(_replay, show=True)

REPLAY = (
    _shown("dismiss", ("escape", "backspace", "R"), "Back", "Back to the previous screen",
           slug="close"),
    _shown("play", ("space",), "Play", "Play or pause"),
    _shown("faster(1)", ("up",), "Faster", "Play faster, up to 1000 times"),
    _replay("faster(-1)", ("down",), "Slower", "Play slower"),
    _shown("move(-1)", ("left",), "Rewind", "Rewind by one step of the slider"),
    _shown("move(1)", ("right",), "Forward", "Forward by one step of the slider"),
    _replay("move(-10)", ("pageup",), "Far back", "Rewind by ten steps"),
    _replay("move(10)", ("pagedown",), "Far forward", "Forward by ten steps"),
    _replay("go('start')", ("home",), "Start", "Go to the start of the run"),
    _replay("go('end')", ("end",), "End", "Go to the end of the run"),
    _replay("epoch(-1)", ("j",), "Previous epoch", "Go to the end of the previous epoch"),
    _replay("epoch(1)", ("k",), "Next epoch", "Go to the end of the next epoch"),
    _shown("next_chart", ("g",), "Next chart", "Show the next chart large, then all again"),
    *(action._replace(screens=("replay",), show=False) for action in (*VIEW, *ZOOM)),
)  # fmt: skip
