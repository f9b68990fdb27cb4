"""Preferences for the terminal: ``terminal.yaml`` in the user's own folder, in ``./configs`` and in
``--config-dir``, later ones over earlier ones.

They are read before the first paint: YAML is loaded only where there is such a file.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from engine.errors import UsageError, did_you_mean, shown
from engine.surroundings import config_folder, working_folder
from tui.shell.action import Action
from tui.shell.keymap import Keymap, read_keymap

FILE = "terminal.yaml"
Glyphs = Literal["auto", "unicode", "ascii"]
GLYPHS: tuple[Glyphs, ...] = ("auto", "unicode", "ascii")


class Preferences(NamedTuple):
    """What a user may choose."""

    keymap: Keymap = Keymap()
    mouse: bool = True
    glyphs: Glyphs = "auto"
    low_bandwidth: bool | None = None
    """``None``: on while the connection is slow."""
    theme: str | None = None
    """``None``: the theme that was used last."""

    def overridden(self, *, mouse: bool, ascii_only: bool, low_bandwidth: bool) -> Preferences:
        """Replace what the command line switches."""
        return self._replace(
            mouse=self.mouse and mouse,
            glyphs="ascii" if ascii_only else self.glyphs,
            low_bandwidth=True if low_bandwidth else self.low_bandwidth,
        )


def preference_files(extra: Path | None = None) -> list[Path]:
    """List the files that may hold preferences, the one with the last word last."""
    folders = [config_folder(), working_folder() / "configs"]
    chosen = extra or (Path(v) if (v := os.environ.get("SEQBENCH_CONFIG")) else None)
    return [folder / FILE for folder in (*folders, chosen) if folder is not None]


def read_preferences(
    actions: Callable[[], Sequence[Action]], extra: Path | None = None
) -> Preferences:
    """Read and check what the user wrote.

    Args:
        actions: lists those whose keys may be chosen; not called unless a file has preferences.
        extra: a folder whose file has the last word.

    Raises:
        ConfigError: a file can't be used; says file, line, key, and what was expected.
    """
    files = [path for path in preference_files(extra) if path.exists()]
    if not files:
        return Preferences()
    from engine.yamlfile import YamlDocument, merge_documents, read_yaml

    document: YamlDocument | None = None
    for path in files:
        above = read_yaml(path)
        document = merge_documents(document, above) if document else above
    assert document is not None
    return _checked(document.value, document.error, actions())


Complain = Callable[[tuple[str, ...], str], Exception]


def _checked(
    value: Mapping[str, Any], complain: Complain, actions: Sequence[Action]
) -> Preferences:
    readers: dict[str, tuple[str, Callable[[Any], Any]]] = {
        "keys": ("keymap", lambda given: read_keymap(_keys(given), actions)),
        "mouse": ("mouse", _switch),
        "glyphs": ("glyphs", _glyphs),
        "low-bandwidth": ("low_bandwidth", lambda x: None if x == "auto" else _switch(x)),
        "theme": ("theme", _theme),
    }
    found: dict[str, Any] = {}
    for key, given in value.items():
        if key not in readers:
            raise complain((key,), f"is not known: {did_you_mean(key, readers)}")
        name, read = readers[key]
        try:
            found[name] = read(given)
        except UsageError as error:
            raise complain((key,), str(error)) from None
        except ValueError as error:
            raise complain((key,), f"expected {error}, not {shown(given)}.") from None
    return Preferences(**found)


def _switch(given: object) -> bool:
    if not isinstance(given, bool):
        raise ValueError("true or false")
    return given


def _glyphs(given: object) -> Glyphs:
    if given not in GLYPHS:
        raise ValueError(f"one of {', '.join(GLYPHS)}")
    return given


def _theme(given: object) -> str:
    # Loaded only where a theme is named, by commands too.
    from textual.theme import BUILTIN_THEMES

    from tui.shell.theme import THEMES

    known = [theme.name for theme in THEMES] + list(BUILTIN_THEMES)
    if not isinstance(given, str):
        raise ValueError("the name of a theme")
    if given not in known:
        raise UsageError(f"there is no theme {given!r}: {did_you_mean(given, known)}")
    return given


def _keys(given: object) -> Mapping[str, tuple[str, ...]]:
    if not isinstance(given, Mapping):
        raise ValueError("names of actions with their keys")
    wanted: dict[str, tuple[str, ...]] = {}
    for name, keys in given.items():
        listed = keys if isinstance(keys, tuple) else (keys,)
        if not listed or not all(isinstance(key, (str, int)) for key in listed):
            raise ValueError(f"a key, or a list of keys, for {name}")
        wanted[str(name)] = tuple(str(key) for key in listed)
    return wanted
