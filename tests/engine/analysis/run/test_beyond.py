"""The tables of a run's results at other cut-offs, of rare items, and of what is recommended."""

from __future__ import annotations

from engine.analysis.run.beyond import completing, result_tables
from engine.metrics import RANK_RESULTS, RESULT_OF


def test_every_result_stands_in_a_table() -> None:
    figures = {name: place / 1000 for place, name in enumerate(RESULT_OF)}
    tables = result_tables({**figures, "test_ndcg_best": 0.9871})
    shown = {text for table in tables for _, texts in table.rows for text in texts}
    for name, result in RESULT_OF.items():
        digits = 3 if result.metric in ("arp", "novelty") else 4
        assert f"{figures[name]:.{digits}f}" in shown, name
    (ndcg,) = (texts for label, texts in tables[0].rows if label == "NDCG")
    assert (tables[0].head[2], ndcg[2]) == ("@10", "0.9871")


def test_of_an_earlier_run_there_is_what_its_ranks_give() -> None:
    without_parts = {name: 0.25 for name, result in RANK_RESULTS.items() if not result.scope}
    tables = result_tables(without_parts)
    assert [table.title for table in tables] == ["Other cut-offs", "seen masked"]
    assert [texts[2] for table in tables for _, texts in table.rows] == ["–"] * 6
    assert result_tables({"test_ndcg_best": 0.1}) == []


def test_columns_are_as_wide_as_their_values() -> None:
    figures = {
        name: 1234.5678 if result.metric == "arp" else 0.25 for name, result in RESULT_OF.items()
    }
    for table in result_tables(figures):
        assert len({len(label + texts) for label, texts in table.lines}) == 1
        title, head = table.lines[0]
        assert title.startswith(table.title)
        assert f"{title}{head}".split(table.title)[1].split() == list(table.head)
        assert len(title + head) <= 68, "the room beside the curves in 160 columns"


def test_a_run_with_cut_offs_alone_names_the_command_for_the_rest() -> None:
    cut_offs = {"test_ndcg_at_20": 0.2, "test_coverage_at_10": None}
    assert completing("a", cut_offs) == "More, without training: seqbench evaluate --own a"
    assert not completing("a", cut_offs | {"test_coverage_at_10": 0.0})
    assert not completing("a", {"test_ndcg_best": 0.1})
