"""Every action of the app, once: keys, footer label, help line and palette entry come from here.

An action ``choose('row')`` calls the method ``action_choose`` of the screen, or of the app for the
area ``app``. Its ``name`` is what a user's file of keys calls it. Keys are letters, F-keys, arrows,
page keys, space, enter, escape or ctrl+letter.
"""

from __future__ import annotations

from collections.abc import Iterator

from textual.binding import Binding
from textual.screen import Screen

from tui.actions.action import Action, binding_id, key_text
from tui.actions.app import APP
from tui.actions.charts import CHARTS
from tui.actions.compare import COMPARE
from tui.actions.data import DATA
from tui.actions.launch import LAUNCH
from tui.actions.live import LIVE
from tui.actions.pivot import PIVOT
from tui.actions.replay import REPLAY
from tui.actions.run import RUN

ALWAYS = ("ctrl+c", "ctrl+q")
"""Keys that work even where the focused widget would take them."""

ACTIONS = APP + LAUNCH + LIVE + COMPARE + PIVOT + RUN + CHARTS + REPLAY + DATA


def actions_for(area: str) -> Iterator[Action]:
    """The actions of one area, in the order of help and footer."""
    return (action for action in ACTIONS if area in action.screens)


def bindings_for(area: str) -> list[Binding]:
    """Bindings for the ``BINDINGS`` of the screen (or app) of an area."""
    return [
        Binding(
            key,
            action.id,
            action.label,
            show=action.show and key == action.keys[0],
            key_display=key_text(action),
            tooltip=action.help,
            priority=key in ALWAYS,
            id=binding_id(action, number),
        )
        for action in actions_for(area)
        for number, key in enumerate(action.keys)
        if not action.own_keys
    ]


def area_of(screen: Screen[object]) -> str | None:
    """The area of a screen: its class attribute ``AREA``, if it has one."""
    area = getattr(screen, "AREA", None)
    return area if isinstance(area, str) else None
