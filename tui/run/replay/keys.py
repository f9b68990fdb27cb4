"""What can be done while a run is replayed."""

from __future__ import annotations

from dataclasses import replace

from tui.charts.keys import VIEW, ZOOM
from tui.shell.action import Action

REPLAY = (
    Action("dismiss", ("escape", "backspace", "R"), "Back", "Back to where you came from",
           ("replay",), True, slug="close"),
    Action("play", ("space",), "Play", "Let time pass, or stop it", ("replay",), True),
    Action("faster(1)", ("up",), "Faster", "Let it pass faster, up to 1000 times", ("replay",),
           True),
    Action("faster(-1)", ("down",), "Slower", "Let it pass slower", ("replay",)),
    Action("move(-1)", ("left",), "Back", "Back by one cell of the slider", ("replay",), True),
    Action("move(1)", ("right",), "On", "On by one cell of the slider", ("replay",), True),
    Action("move(-10)", ("pageup",), "Far back", "Back by ten cells", ("replay",)),
    Action("move(10)", ("pagedown",), "Far on", "On by ten cells", ("replay",)),
    Action("go('start')", ("home",), "Start", "To the first moment", ("replay",)),
    Action("go('end')", ("end",), "End", "To the last moment", ("replay",)),
    Action("epoch(-1)", ("j",), "Epoch back", "To the end of the epoch before", ("replay",)),
    Action("epoch(1)", ("k",), "Epoch on", "To the end of the next epoch", ("replay",)),
    Action("next_chart", ("g",), "Chart", "Show the next chart large, or all again", ("replay",),
           True),
    *(replace(action, screens=("replay",), show=False) for action in (*VIEW, *ZOOM)),
)  # fmt: skip
