"""Actions that work on every screen."""

from __future__ import annotations

from tui.shell.action import Action

APP = (
    Action("show('launch')", ("1",), "Launch", "Choose runs and start them", ("app",)),
    Action("show('live')", ("2",), "Live", "Watch the queue and the run in training", ("app",)),
    Action("show('compare')", ("3",), "Compare", "Compare every run's result", ("app",)),
    Action(
        "help",
        ("question_mark", "f1"),
        "Help",
        "Keys, and what figures and states mean",
        ("app",),
        True,
        "?",
    ),
    Action("jump", ("ctrl+o",), "Jump", "A letter on every panel and field: press it", ("app",)),
    Action("toggle_theme", ("f2",), "Theme", "Change between dark and light", ("app",)),
    Action("choose_theme", ("f4",), "Themes", "Choose a theme; it is remembered", ("app",)),
    Action("toggle_traffic", ("f3",), "Traffic", "How much is sent to the terminal", ("app",)),
    Action(
        "toggle_low_bandwidth",
        ("f5",),
        "Low bandwidth",
        "Draw seldom, for a slow line; again, as usual",
        ("app",),
        slug="low-bandwidth",
    ),
    Action(
        "suspend_process",
        ("ctrl+z",),
        "Suspend",
        "Back to the shell for a while: `fg` there comes back",
        ("app",),
    ),
    Action(
        "request_quit",
        ("q", "ctrl+q", "ctrl+c"),
        "Quit",
        "Leave; what runs goes on in the background",
        ("app",),
        True,
    ),
)
