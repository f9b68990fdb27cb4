"""Textual's bindings for actions."""

from __future__ import annotations

from collections.abc import Iterable

from textual.binding import Binding
from textual.screen import Screen

from tui.shell.action import Action, actions_for, binding_id, key_text

ALWAYS = ("ctrl+c", "ctrl+q")
"""Keys that work even where the focused widget would take them."""


def bindings_for(area: str, actions: Iterable[Action]) -> list[Binding]:
    """Make the ``BINDINGS`` of the screen (or app) of an area."""
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
        for action in actions_for(area, actions)
        for number, key in enumerate(action.keys)
        if not action.own_keys
    ]


def area_of(screen: Screen[object]) -> str | None:
    """Read the area of a screen: its class attribute ``AREA``, if it has one."""
    area = getattr(screen, "AREA", None)
    return area if isinstance(area, str) else None
