"""Rules of targets in words."""

from __future__ import annotations

from engine.analysis.protocols.words import rule_title
from engine.spec import SplitRule


def test_rules_are_named_by_what_tells_them_apart() -> None:
    rules = {
        "leave-one-out": SplitRule(),
        "temporal, successive": SplitRule(kind="temporal"),
        "temporal quantile=0.9, last": SplitRule(kind="temporal", quantile=0.9, targets="last"),
        "temporal valid_share=0.2, first": SplitRule(
            kind="temporal", valid_share=0.2, targets="first"
        ),
        "given, random": SplitRule(kind="given", targets="random"),
    }
    assert {rule_title(rule.model_dump(mode="json")) for rule in rules.values()} == set(rules)
    for title, rule in rules.items():
        assert rule_title(rule.model_dump(mode="json")) == title
    assert rule_title({}) == "leave-one-out"
