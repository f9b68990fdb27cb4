"""A style sheet whose parts are parsed once."""

from __future__ import annotations

from textual.cache import LRUCache
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet

Parsed = LRUCache[tuple[object, ...], list[RuleSet]]

PARTS = 4096
"""Parts that are kept for one set of variables: more than all widgets have."""

_parsed: dict[frozenset[tuple[str, str]], Parsed] = {}


class KeptRules(Stylesheet):
    """Parses a part of a style sheet once a process for the same values of its variables.

    Textual's own (8.2) parses all of them again whenever a screen with a style sheet is opened
    first, or a theme is set, and keeps 64 of them, which is fewer than the widgets of all screens.
    """

    def __init__(self, *, variables: dict[str, str]) -> None:
        super().__init__(variables=variables)
        self._parse_cache = _kept(variables)

    def set_variables(self, variables: dict[str, str]) -> None:
        """Use other values, such as another theme's colours."""
        if variables != self._variables:
            self._parse_cache = Parsed(1)  # the base class empties it
            super().set_variables(variables)
            self._parse_cache = _kept(variables)

    def reparse(self) -> None:
        """Compute the rules of all parts again."""
        self.parse()


def _kept(variables: dict[str, str]) -> Parsed:
    return _parsed.setdefault(frozenset(variables.items()), Parsed(PARTS))
