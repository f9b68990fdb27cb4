"""Screens are ready before they are opened."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from live_app import know_the_surroundings
from live_runs import LiveStore
from pilots import settled, wait_for
from textual.dom import DOMNode

from tui.app import SeqbenchApp
from tui.live.screen import LiveScreen
from tui.parts.warm import MODULES, style_sheets
from tui.shell.rules import KeptRules, know


async def test_a_screen_that_is_opened_styles_nothing_but_itself(
    empty_store: LiveStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    know_the_surroundings(monkeypatch, tmp_path)
    app = SeqbenchApp(empty_store.location)
    styled: list[DOMNode] = []
    apply = KeptRules.apply

    def note(rules: KeptRules, node: DOMNode, **more: Any) -> None:
        styled.append(node)
        apply(rules, node, **more)

    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        sheets = [str(path) for path in style_sheets()]
        await wait_for(pilot, lambda: all(map(app.stylesheet.has_source, sheets)), "the sheets")
        launch, sources = app.screen, len(sheets)
        monkeypatch.setattr(KeptRules, "apply", note)
        await pilot.press("2")
        await wait_for(pilot, lambda: isinstance(app.screen, LiveScreen), "Live")
        await settled(pilot)
        assert any(node.screen is app.screen for node in styled)
        assert not [node for node in styled if node is not app and node.screen is launch]
        files = {place[0] for place in app.stylesheet.source if place[0].endswith(".tcss")}
        assert len(files) == sources + 1, "none was read but those ahead, and the app's own"


def test_what_is_ready_is_all_that_a_screen_imports() -> None:
    program = f"import sys; from tui.parts.warm import MODULES; [__import__(m) for m in {MODULES}]"
    after = "import tui.live.screen, tui.compare.screen, tui.run.screen; print(len(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", f"{program}; print(len(sys.modules)); {after}"],
        capture_output=True,
        text=True,
        check=True,
    )
    before, then = done.stdout.split()
    assert before == then


def test_the_same_variables_are_parsed_once() -> None:
    one, other = (KeptRules(variables={"colour": "red"}) for _ in range(2))
    for rules in (one, other):
        rules.add_source("Screen { background: $colour; }", read_from=("a", "b"))
    assert one.rules[0] is other.rules[0]
    one.set_variables({"colour": "blue"})
    one.reparse()
    assert one.rules[0].styles.background != other.rules[0].styles.background
    one.set_variables({"colour": "red"})
    one.reparse()
    assert one.rules[0] is other.rules[0]


def test_a_part_is_parsed_once_wherever_it_stands_in_the_order() -> None:
    first, second = (KeptRules(variables={"colour": "green"}) for _ in range(2))
    for rules, place in ((first, -1), (second, -2)):
        css = "Screen { background: $colour; }"
        rules.add_source(css, ("a", "b"), is_default_css=True, tie_breaker=place)
    [one], [other] = first.rules, second.rules
    assert (one.tie_breaker, other.tie_breaker) == (-1, -2)
    assert one.styles is other.styles


def test_a_style_sheet_that_is_read_leaves_no_rule_out(tmp_path: Path) -> None:
    rules = KeptRules(variables={})
    css = "Input:focus { background: red; }"
    rules.add_source(css, ("a", "b"), is_default_css=True, tie_breaker=0)
    assert rules.rules_map["Input"] == rules.rules
    # The class is now known to be further from a widget's own.
    rules.add_source(css, ("a", "b"), is_default_css=True, tie_breaker=-1)
    (tmp_path / "more.tcss").write_text("Label { color: red; }")
    know(rules, [tmp_path / "more.tcss"])
    assert [each for each in rules.rules_map["Input"] if each in rules.rules] == rules.rules[:1]
