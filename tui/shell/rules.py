"""A style sheet whose parts are parsed once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from textual.cache import LRUCache
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.css.types import CSSLocation

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

    def _parse_rules(
        self,
        css: str,
        read_from: CSSLocation,
        is_default_rules: bool = False,
        tie_breaker: int = 0,
        scope: str = "",
    ) -> list[RuleSet]:
        """Parse a part once, though it takes part in several places of the order."""
        key = (css, read_from, is_default_rules, tie_breaker, scope)
        if tie_breaker and key not in self._parse_cache:
            parsed = super()._parse_rules(css, read_from, is_default_rules, 0, scope)
            self._parse_cache[key] = [replace(rule, tie_breaker=tie_breaker) for rule in parsed]
        return super()._parse_rules(css, read_from, is_default_rules, tie_breaker, scope)

    def reparse(self) -> None:
        """Compute the rules of all parts again."""
        self.parse()


def know(rules: Stylesheet, paths: Iterable[Path]) -> None:
    """Read style sheets, but for those that are known.

    The rules are computed at once: what is styled next would else be looked up in Textual's map of
    the rules before, and miss those that have got another place in the order meanwhile.
    """
    new = [path for path in paths if not rules.has_source(str(path))]
    for path in new:
        rules.read(path)
    if new:
        rules.reparse()


def _kept(variables: dict[str, str]) -> Parsed:
    return _parsed.setdefault(frozenset(variables.items()), Parsed(PARTS))
