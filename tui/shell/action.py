"""Actions, and how their keys are written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Action(NamedTuple):
    """Something that the user can do with a key.

    Attributes:
        id: the method, without ``action_``; may carry arguments, as in ``show('live')``.
        keys: Textual's key names, the one to show first.
        label: a word or two, for the footer.
        help: one line, for help and palette.
        screens: the areas in which it works.
        show: whether the footer names it.
        key_label: how several keys are written together, such as ``↑↓``; else the first is.
        own_keys: a widget binds the keys itself, as for moving a cursor: named in help only.
        slug: the name within its area, where ``id`` doesn't make a good one.
    """

    id: str
    keys: tuple[str, ...]
    label: str
    help: str
    screens: tuple[str, ...]
    show: bool = False
    key_label: str | None = None
    own_keys: bool = False
    slug: str = ""

    @property
    def name(self) -> str:
        """The name in users' files of keys, such as ``launch.choose-cell``: never changes."""
        words = self.id.lower().replace("(-", " back ")
        slug = self.slug or re.sub(r"[^a-z0-9]+", "-", words).strip("-")
        return f"{self.screens[0]}.{slug}"


def actions_for(area: str, actions: Iterable[Action]) -> Iterator[Action]:
    """Select the actions of an area, in the order of help and footer."""
    return (action for action in actions if area in action.screens)


def binding_id(action: Action, number: int) -> str:
    """Name the binding of an action's key for Textual: that of the first key like the action."""
    return f"{action.name} {number}" if number else action.name


_KEY_NAMES = {
    "question_mark": "?", "slash": "/", "plus": "+", "minus": "-", "equals_sign": "=",
    "enter": "⏎", "escape": "esc",
    "pageup": "pgup", "pagedown": "pgdn", "left": "←", "right": "→", "up": "↑", "down": "↓",
}  # fmt: skip


def key_text(action: Action, every: bool = False) -> str:
    """Write an action's first key, or with ``every`` all its keys."""
    keys = action.keys if every else action.keys[:1]
    return action.key_label or "  ".join(dict.fromkeys(map(key_name, keys)))


def key_name(key: str) -> str:
    """Write a key that Textual names: ``ctrl+p`` as ``^p``, ``hash`` as ``#``."""
    if key.startswith("ctrl+"):
        return "^" + key.removeprefix("ctrl+")
    if key.startswith("upper_"):
        return key.removeprefix("upper_").upper()
    if key in _KEY_NAMES:
        return _KEY_NAMES[key]
    if len(key) == 1 or re.fullmatch(r"f\d+|space|tab|home|end|insert|delete|backspace", key):
        return key
    # Commands that write keys load Textual for no others.
    from textual.keys import key_to_character

    return key_to_character(key) or key
