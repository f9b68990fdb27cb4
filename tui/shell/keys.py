"""Actions that work on every screen: their keys, labels and help."""

from __future__ import annotations

from functools import partial

from tui.shell.action import Action

_app = partial(Action, screens=("app",))

APP = (
    _app("show('launch')", ("1",), "Launch", "Choose runs and start them"),
    _app("show('live')", ("2",), "Live", "Watch the queue and the run in training"),
    _app("show('compare')", ("3",), "Compare", "Compare every run's result"),
    _app(
        "help", ("question_mark", "f1"), "Help", "Keys, and what figures and states mean",
        show=True,
    ),
    _app("trash", ("U",), "Trash", "Deleted runs: list them, and bring single ones back"),
    _app("jump", ("ctrl+o",), "Jump", "A letter on every panel and field: press it"),
    _app("toggle_theme", ("f2",), "Theme", "Change between dark and light"),
    _app("choose_theme", ("f4",), "Themes", "Choose a theme; it is remembered"),
    _app("toggle_traffic", ("f3",), "Traffic", "How much is sent to the terminal"),
    _app(
        "toggle_low_bandwidth", ("f5",), "Low bandwidth",
        "Draw seldom, for a slow line; again, as usual", slug="low-bandwidth",
    ),
    _app(
        "suspend_process", ("ctrl+z",), "Suspend",
        "Back to the shell for a while: `fg` there comes back",
    ),
    _app(
        "request_quit", ("q", "ctrl+q", "ctrl+c"), "Quit",
        "Leave; what runs goes on in the background", show=True,
    ),
)  # fmt: skip

UNDO = Action(
    "app.undo", ("u",), "Undo", "Bring back the runs that were deleted last",
    ("compare", "live", "run", "pivot", "launch", "data", "replay", "scatter", "chart"),
    slug="undo",
)  # fmt: skip
"""On every screen, and in no dialog."""
