"""Style sheets, parsed once a process."""

from __future__ import annotations

from typing import Any

import pytest
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet


def let_apps_share_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a style sheet parsed once for all apps that give its variables the same values.

    Textual keeps what it parsed for one app, and forgets it when the app's theme is set.
    """
    parse = Stylesheet._parse_rules
    parsed: dict[tuple[object, ...], list[RuleSet]] = {}
    newest: tuple[dict[str, str], frozenset[tuple[str, str]]] = ({}, frozenset())

    def parse_once(sheet: Stylesheet, css: str, **source: Any) -> list[RuleSet]:
        nonlocal newest
        if newest[0] is not sheet._variables:
            newest = sheet._variables, frozenset(sheet._variables.items())
        key = (newest[1], css, *source.values())
        if key not in parsed:
            parsed[key] = parse(sheet, css, **source)
        return parsed[key]

    monkeypatch.setattr(Stylesheet, "_parse_rules", parse_once)
