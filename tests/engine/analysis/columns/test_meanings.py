"""Every column has its meaning."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.analysis.columns.definitions import AGGREGATES, Aggregate, columns
from engine.analysis.columns.meanings import glossary, meaning
from engine.analysis.columns.offered import column_named

PROTOCOL = (Path(__file__).parents[4] / "docs" / "protocol.md").read_text()


@pytest.mark.parametrize("aggregate", AGGREGATES)
def test_every_column_is_explained(aggregate: Aggregate) -> None:
    for entry in columns(aggregate):
        text = meaning(entry, aggregate)
        assert text.endswith(".")
        assert len(text) > 9


def test_a_metric_says_split_ranking_and_aggregate() -> None:
    text = meaning(column_named("NDCG@10/test (seen masked)", "max"), "max")
    for part in ("log2(1 + rank)", "last of each user", "hadn't seen", "uses the test set"):
        assert part in text
    assert "uses the test set" not in meaning(column_named("NDCG@10/test"), "best")
    assert "Shown" not in meaning(column_named("seed"), "best")


def test_the_words_are_those_of_the_protocol() -> None:
    for title, _ in glossary():
        if "@" in title or title == "seen masked":
            assert title in PROTOCOL
