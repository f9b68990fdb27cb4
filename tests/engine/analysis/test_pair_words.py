"""Two cells in words: nothing is said that the corrected test doesn't show."""

from __future__ import annotations

import sqlite3

import numpy as np
import pytest
from measured_runs import MeasuredStore

from engine.analysis.pairs.cells import RankedCell, across_metrics, ranked_cell
from engine.analysis.pairs.significance import LEVEL, holm
from engine.analysis.pairs.words import effect_word, pair_caveats, pair_sentence, words_for
from engine.cell import Cell
from engine.store.compare.grouping import Choice, cell_lines, runs_of_cell

NAME = Cell("sasrec", "ml-100k", 50, "reference", "ab", "8f")
ALIKE = ("ml-100k", 2, "leave-one-out", "8f")


def cell(rate: float, seeds: int = 3, users: int = 500, number: int = 0) -> RankedCell:
    generator = np.random.default_rng([number, seeds])
    hit = generator.random((seeds, 2, users)) < rate
    ranks = np.where(hit, generator.integers(1, 11, hit.shape), 50).astype(np.int32)
    return RankedCell(NAME, ALIKE, ({},) * seeds, ranks, f"cell {number}")


def test_p_is_corrected_over_the_metrics() -> None:
    found = across_metrics(cell(0.2), cell(0.17, number=1))
    assert list(found) == ["ndcg", "mrr", "hit"]
    raw = [pair.difference.p for pair in found.values()]
    assert [pair.p for pair in found.values()] == holm(raw)
    for pair in found.values():
        assert (pair.more_seeds == 0) == (pair.p < LEVEL)


def test_a_difference_is_said_of_the_first() -> None:
    a, b = cell(0.3), cell(0.1, number=1)
    pair = across_metrics(a, b)["hit"]
    sentence = pair_sentence(pair, "hit", "left")
    assert sentence.startswith("HitRate@10, Recall@10: left is better, +0.")
    assert "p < .001" in sentence
    assert sentence.endswith(f"({effect_word(pair.difference.effect)}).")
    turned = pair_sentence(across_metrics(b, a)["hit"], "hit", "left")
    assert "left is worse, −0." in turned


def test_none_is_said_where_none_is_shown_and_what_it_would_need() -> None:
    found = across_metrics(cell(0.20), cell(0.19, number=4))
    for metric, pair in found.items():
        sentence = pair_sentence(pair, metric, "left")
        assert "no difference shown" in sentence
        assert ("more seed" in sentence) is (pair.more_seeds is not None)
    same = cell(0.2)
    sentence = pair_sentence(across_metrics(same, same)["ndcg"], "ndcg", "left")
    assert "0.0000 (95 %" in sentence
    assert sentence.endswith("No number of seeds would tell them apart if it stayed so.")


def test_one_seed_is_said_to_be_one() -> None:
    found = across_metrics(cell(0.2, seeds=1), cell(0.1, seeds=1, number=1))
    assert "seeds a cell" not in pair_sentence(found["mrr"], "mrr", "left")
    shared, alone = pair_caveats(found)
    assert "Over 500 test users, paired, and 1 against 1 seed, not paired" in shared
    assert "another seed may turn it round" in alone
    assert len(pair_caveats(across_metrics(cell(0.2), cell(0.1)))) == 1
    assert pair_caveats({}) == []


def test_other_data_is_not_compared() -> None:
    other = RankedCell(NAME, (*ALIKE[:3], "77"), ({},) * 3, cell(0.2).ranks, "other")
    assert across_metrics(cell(0.2), other) == {}


@pytest.mark.parametrize(
    ("effect", "word"), [(0.1, "less than small"), (-0.2, "small"), (0.6, "medium"), (-2, "large")]
)
def test_effects_have_cohens_words(effect: float, word: str) -> None:
    assert effect_word(effect) == word


def test_a_cell_of_the_store_is_read_with_its_ranks(
    con: sqlite3.Connection, measured: MeasuredStore
) -> None:
    _, lines = cell_lines(con, Choice("model:xlstm length:75"), "model", False)
    runs = runs_of_cell(con, Choice(), lines[0].cell)
    folders = [measured.location.folder(run) for run in runs]
    for folder in folders:
        np.save(folder.test_ranks, np.full((2, 30), 3, np.int32))
    found, problems = ranked_cell(con, measured.location, runs)
    assert found is not None
    assert (found.ranks.shape, found.label, problems) == ((2, 2, 30), "xlstm L=75", [])
    same = words_for(con, measured.location, runs, runs, "left")
    assert len(same) == 4
    assert same[0].startswith("NDCG@10: no difference shown, 0.0000 (95 %: −0.1157 to +0.1157)")
    for folder in folders:
        folder.test_ranks.unlink()
    (why,) = words_for(con, measured.location, runs, runs, "left")
    assert why.startswith(f"{runs[0]} is left out: its test ranks can't be read")
    none, problems = ranked_cell(con, measured.location, runs)
    assert none is None
    assert len(problems) == 2
