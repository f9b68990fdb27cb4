"""Actions that work on every screen: their keys, labels and help."""

from __future__ import annotations

from functools import partial

from tui.shell.action import Action

_app = partial(Action, screens=("app",))

APP = (
    _app("show('launch')", ("1",), "Launch", "Choose runs and launch them"),
    _app("show('live')", ("2",), "Live", "Watch the queue and the run in training"),
    _app("show('compare')", ("3",), "Compare", "Compare every run's result"),
    _app(
        "help", ("question_mark", "f1"), "Help", "Keys, and what metrics and states mean",
        show=True,
    ),
    _app("trash", ("U",), "Trash", "List deleted runs, and bring any of them back"),
    _app("jump", ("ctrl+o",), "Jump", "Put a letter on every panel and field: press it to go "
        "there"),
    _app("toggle_theme", ("f2",), "Theme", "Switch between dark and light"),
    _app("choose_theme", ("f4",), "Themes", "Choose a theme; it is remembered"),
    _app("toggle_traffic", ("f3",), "Traffic", "Show how much is sent to the terminal"),
    _app(
        "toggle_low_bandwidth", ("f5",), "Low bandwidth",
        "Reduce redraws on a slow connection (toggle)", slug="low-bandwidth",
    ),
    _app(
        "suspend_process", ("ctrl+z",), "Suspend",
        "Suspend to the shell; `fg` there returns",
    ),
    _app(
        "request_quit", ("q", "ctrl+q", "ctrl+c"), "Quit",
        "Quit; runs continue in the background", show=True,
    ),
)  # fmt: skip

UNDO = Action(
    "app.undo", ("u",), "Undo", "Bring back the runs that were deleted last",
    ("compare", "live", "run", "pivot", "launch", "data", "replay", "scatter", "chart",
     "study"),
    slug="undo",
)  # fmt: skip
"""On every screen, and in no dialog."""
