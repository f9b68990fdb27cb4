"""One thing that the user can do, and how its keys are written."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that the user can do.

    Attributes:
        id: the method, without ``action_``; may carry arguments, as in ``show('live')``.
        keys: Textual's key names, the one to show first.
        label: a word or two, for the footer.
        help: one line, for help and palette.
        screens: the areas in which it works.
        show: whether the footer names it.
        key_label: how the key is written, where Textual's way isn't the clearest.
        own_keys: a widget binds the keys itself, as for moving a cursor: named in help only.
    """

    id: str
    keys: tuple[str, ...]
    label: str
    help: str
    screens: tuple[str, ...]
    show: bool = False
    key_label: str | None = None
    own_keys: bool = False


_KEY_NAMES = {
    "question_mark": "?", "slash": "/", "enter": "⏎", "escape": "esc", "upper_l": "L",
    "pageup": "pgup", "pagedown": "pgdn", "left": "←", "right": "→", "up": "↑", "down": "↓",
}  # fmt: skip


def key_text(action: Action, every: bool = False) -> str:
    """How an action's key is written: the first, or with ``every`` all of them."""
    if not every:
        return action.key_label or _key_name(action.keys[0])
    if action.key_label and len(action.key_label) > 1:
        return action.key_label
    names = [_key_name(key) for key in action.keys]
    return "  ".join(dict.fromkeys(names))


def _key_name(key: str) -> str:
    if key.startswith("ctrl+"):
        return "^" + key.removeprefix("ctrl+")
    return _KEY_NAMES.get(key, key)
