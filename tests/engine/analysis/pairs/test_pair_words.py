"""Two cells in words: nothing is said that the corrected test doesn't show."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import replace

import numpy as np
import pytest
from measured_runs import MeasuredStore

from engine.analysis.claims.claim import LEVEL, Family
from engine.analysis.claims.words import effect_word, pair_note, pair_sentence
from engine.analysis.pairs.cells import Pair, RankedCell, across_metrics, ranked_cell
from engine.analysis.pairs.significance import holm
from engine.analysis.pairs.words import words_for
from engine.cell import Cell
from engine.store.compare.grouping import Choice, runs_of_cell
from engine.store.compare.lines import cell_lines

NAME = Cell("sasrec", "ml-100k", 50, "reference", "ab", "8f")
ALIKE = ("ml-100k", 2, "leave-one-out", "8f")


def cell(rate: float, seeds: int = 3, users: int = 500, number: int = 0) -> RankedCell:
    generator = np.random.default_rng([number, seeds])
    hit = generator.random((seeds, 2, users)) < rate
    ranks = np.where(hit, generator.integers(1, 11, hit.shape), 50).astype(np.int32)
    return RankedCell(NAME, ALIKE, ({},) * seeds, ranks, f"cell {number}")


def said(pair: Pair) -> str:
    return pair_sentence(pair.claim, pair.difference.effect, pair.more_seeds)


def called(name: str, of: RankedCell) -> RankedCell:
    return replace(of, label=name)


def test_p_is_corrected_over_the_metrics() -> None:
    found = across_metrics(cell(0.2), cell(0.17, number=1))
    assert list(found) == ["ndcg", "mrr", "hit"]
    raw = [pair.difference.p for pair in found.values()]
    assert [pair.p for pair in found.values()] == holm(raw)
    for pair in found.values():
        assert pair.claim.family == Family("metrics", 3)
        assert pair.p is not None
        assert (pair.more_seeds == 0) == (pair.p < LEVEL)


def test_a_difference_is_said_of_the_first() -> None:
    a, b = called("left", cell(0.3)), called("right", cell(0.1, number=1))
    pair = across_metrics(a, b)["hit"]
    sentence = said(pair)
    assert sentence.startswith("HitRate@10, Recall@10: left is better, +0.")
    assert "p < .001" in sentence
    assert sentence.endswith(f"({effect_word(pair.difference.effect)}).")
    assert "right is worse, −0." in said(across_metrics(b, a)["hit"])


def test_none_is_said_where_none_is_shown_and_what_it_would_need() -> None:
    found = across_metrics(cell(0.20), cell(0.19, number=4))
    for pair in found.values():
        sentence = said(pair)
        assert "no difference shown" in sentence
        assert ("more seed" in sentence) is (pair.more_seeds is not None)
    same = cell(0.2)
    sentence = said(across_metrics(same, same)["ndcg"])
    assert "0.0000 (95 %" in sentence
    assert sentence.endswith(
        "If this difference is the true one, no number of seeds would tell them apart."
    )


@pytest.mark.parametrize(
    ("seeds", "why", "over"),
    [
        ((1, 1), "one seed each", "users alone"),
        ((3, 1), "cell 1 has one seed", "users and the seeds of cell 0"),
    ],
)
def test_of_one_seed_only_the_difference_is_said_and_over_what(
    seeds: tuple[int, int], why: str, over: str
) -> None:
    a, b = cell(0.3, seeds=seeds[0]), cell(0.1, seeds=seeds[1], number=1)
    for metric, pair in across_metrics(a, b).items():
        assert (pair.p, pair.verdict, pair.more_seeds) == (None, None, None)
        assert pair.why_untold == f"{why}: no conclusion; `seqbench run … --seed 1,2,3`"
        text = said(pair)
        assert re.fullmatch(rf".*@10: \+0\.\d+ \(95 %, over {over}: \S+ to \S+\)\.", text), metric


def test_what_all_sentences_need_is_said_once() -> None:
    pair = across_metrics(cell(0.2), cell(0.1))["ndcg"]
    found = pair.difference
    note = pair_note(pair.claim, found.users, pair.a.targets, found.seeds)
    assert "Over 500 test users, paired, and 3 against 3 seeds, not paired" in note
    assert "corrected (Holm) for the 3 metrics of these two" in note
    owners = np.repeat(np.arange(100, dtype=np.int32), 5)
    several = (replace(each, owners=owners) for each in (cell(0.2), cell(0.1)))
    pair = across_metrics(*several)["ndcg"]
    note = pair_note(pair.claim, pair.difference.users, pair.a.targets, pair.difference.seeds)
    assert "Over 500 targets of 100 test users, paired" in note


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
    assert (found.ranks.shape, found.label, problems) == ((2, 2, 30), "xlstm L75", [])
    same = words_for(con, measured.location, (runs, runs), ("right", "left"))
    assert (len(same.sentences), same.why_untold) == (4, None)
    assert same.sentences[0].startswith(
        "NDCG@10: no difference shown, 0.0000 (95 %: −0.1157 to +0.1157)"
    )
    alone = words_for(
        con, measured.location, (runs[:1], runs[1:]), ("right", "left"), measured.catalogue
    )
    assert alone.why_untold == (
        "one seed each: no conclusion; `seqbench run --model xlstm --dataset ml-100k --length 75 "
        "--seed 1,2,3 --profile reference`."
    )
    assert alone.sentences[0] == alone.why_untold
    assert len(alone.sentences) == 4
    for folder in folders:
        folder.test_ranks.unlink()
    none = words_for(con, measured.location, (runs, runs), ("right", "left"))
    assert none.why_untold == "right and left have no ranks of test users: no conclusion."
    assert none.sentences[0] == none.why_untold
    assert none.sentences[1].startswith(f"{runs[0]} is left out: its test ranks can't be read")
    nobody, problems = ranked_cell(con, measured.location, runs)
    assert nobody is None
    assert len(problems) == 2
