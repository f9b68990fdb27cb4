"""Keys that a user chose for actions, in place of the usual ones."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import chain
from types import MappingProxyType
from typing import NamedTuple

from engine.errors import UsageError, did_you_mean, nearest, shown
from tui.shell.action import Action, actions_for, binding_id, key_name

NAMED_KEYS = (
    *("enter", "escape", "space", "tab", "backspace", "delete", "insert", "home", "end"),
    *("pageup", "pagedown", "up", "down", "left", "right"),
    *(f"f{number}" for number in range(1, 13)),
)
_CONTROL = r"ctrl\+[a-z]"
_SAME_AS = {"ctrl+i": "tab", "ctrl+m": "enter", "ctrl+h": "backspace", "ctrl+j": "enter"}
"""Terminals send the same byte for both."""

_UNREACHABLE = "unbound"


class Keymap(NamedTuple):
    """Chosen keys by the name of the action. Empty: every action keeps its own."""

    chosen: Mapping[str, tuple[str, ...]] = MappingProxyType({})

    def applied(self, action: Action) -> Action:
        """Give an action the keys that this user chose for it."""
        keys = self.chosen.get(action.name)
        return action if keys is None else action._replace(keys=keys, key_label=None)

    def bindings(self, actions: Sequence[Action]) -> dict[str, str]:
        """Make what `App.set_keymap` takes: keys by the id of a binding.

        All bindings are named, or none: Textual puts those that it changes behind the others, which
        would change the order of the footer.
        """
        if not self.chosen:
            return {}
        found: dict[str, str] = {}
        for action in actions:
            if action.own_keys:
                continue
            keys = self.applied(action).keys
            for number, key in enumerate(action.keys):
                if action.name in self.chosen:
                    key = _UNREACHABLE if number else ",".join(keys)
                found[binding_id(action, number)] = key
        return found


def read_keymap(wanted: Mapping[str, tuple[str, ...]], actions: Sequence[Action]) -> Keymap:
    """Check what a user wrote: keys by the name of an action.

    Raises:
        UsageError: an action or key doesn't exist, or a key means two things.
    """
    names = {action.name: action for action in actions}
    changeable = [name for name, action in names.items() if not action.own_keys]
    chosen: dict[str, tuple[str, ...]] = {}
    for name, keys in wanted.items():
        if name not in names:
            raise UsageError(f"there is no action {shown(name)}: {_hint(name, changeable)}")
        if names[name].own_keys:
            raise UsageError(f"the keys of {name} can't be changed.")
        chosen[name] = tuple(dict.fromkeys(map(_key, keys)))
    keymap = Keymap(chosen)
    for area in dict.fromkeys(chain.from_iterable(action.screens for action in actions)):
        _refuse_double(keymap, area, actions)
    return keymap


def _hint(name: str, names: list[str]) -> str:
    """Suggest the nearest name, or those of its area: all names would fill a screen."""
    area = name.partition(".")[0]
    inside = [known for known in names if known.startswith(f"{area}.")]
    if nearest(name, names) or inside:
        return did_you_mean(name, names if nearest(name, names) else inside)
    return "`seqbench keys` lists them."


def _key(text: str) -> str:
    """Read a key as a user writes it, into Textual's name. Raises `UsageError`."""
    # The commands, which know this module, do without Textual unless keys were chosen.
    from tui.shell.private import key_of

    if len(text) == 1 and text.isprintable():
        return "space" if text == " " else key_of(text)
    lowered = text.lower().replace("^", "ctrl+", 1) if text.startswith("^") else text.lower()
    if lowered in _SAME_AS:
        raise UsageError(f"a terminal can't distinguish {text} from {_SAME_AS[lowered]}.")
    if lowered in NAMED_KEYS or re.fullmatch(_CONTROL, lowered):
        return lowered
    raise UsageError(
        f"{shown(text)} isn't a key: write a character, ctrl+ and a letter, or a name such as"
        f" {nearest(lowered, NAMED_KEYS) or 'pageup'}."
    )


def _refuse_double(keymap: Keymap, area: str, actions: Sequence[Action]) -> None:
    """Raise `UsageError` if a chosen key means two things in an area with the app's own actions."""
    taken: dict[str, Action] = {}
    everywhere = () if area == "app" else actions_for("app", actions)
    for action in map(keymap.applied, (*actions_for(area, actions), *everywhere)):
        for key in action.keys:
            other = taken.setdefault(key, action)
            chosen = {action.name, other.name} & keymap.chosen.keys()
            if other.name != action.name and chosen:
                raise UsageError(
                    f"the key {key_name(key)} would mean two things: {other.name} and"
                    f" {action.name}."
                )
