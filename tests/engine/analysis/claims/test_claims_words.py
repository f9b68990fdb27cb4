"""What is said of models that are compared: no more than their claims, whatever their names."""

from __future__ import annotations

import re
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis.claims.claim import USERS_ALONE, USERS_AND_SEEDS, Claim, Family
from engine.analysis.claims.rule import Side, untold
from engine.analysis.claims.words import (
    Standing,
    costs_note,
    family_text,
    headline,
    interval_note,
    p_text,
    pairs_notes,
    standing_note,
)

FIGURE = "NDCG@10/test"
CLAIMS = re.compile(r"better|worse|above|below|best|highest|shown|p [<=]")


def standing(label: str, mean: float, seeds: int = 3) -> Standing:
    return Standing(Side(label, seeds), mean, max(0.0, mean - 0.01), mean + 0.01)


def claims_of(ranked: list[Standing], apart: float = 0.02) -> list[Claim]:
    """Every two models; a difference is shown where it is larger than ``apart``."""
    pairs = list(combinations(ranked, 2))
    why = [untold(a.side, b.side) for a, b in pairs]
    family = Family("models", why.count(None))
    found = []
    for (a, b), reason in zip(pairs, why, strict=True):
        mean = a.mean - b.mean
        p = None if reason else 0.001 if abs(mean) > apart else 0.4
        ends = mean - apart, mean + apart
        names = a.side.label, b.side.label
        found.append(Claim(FIGURE, *names, mean, *ends, USERS_AND_SEEDS, p, family, reason))
    return found


def said(*ranked: Standing) -> str:
    some = sorted(ranked, key=lambda each: -each.mean)
    return headline("ml-100k", FIGURE, 90, some, claims_of(some))


def test_the_best_is_told_with_what_it_is_above() -> None:
    assert said(standing("a L50", 0.1), standing("b L50", 0.2), standing("c L50", 0.15)) == (
        "ml-100k: b L50 is shown to be best in NDCG@10/test, 0.2000 [0.1900, 0.2100]: above "
        "c L50 (+0.0500 [+0.0300, +0.0700], p = .001) and "
        "a L50 (+0.1000 [+0.0800, +0.1200], p = .001)."
    )


def test_where_none_is_best_it_is_said_first_and_what_is_shown_after_it() -> None:
    assert said(standing("a L50", 0.2), standing("b L50", 0.19), standing("c L50", 0.1)) == (
        "ml-100k: no model is shown to be best in NDCG@10/test: a L50 0.2000 [0.1900, 0.2100], "
        "b L50 0.1900 [0.1800, 0.2000] and c L50 0.1000 [0.0900, 0.1100]. a L50 is shown to be "
        "above c L50 (+0.1000 [+0.0800, +0.1200], p = .001); b L50 is shown to be above c L50 "
        "(+0.0900 [+0.0700, +0.1100], p = .001); no other difference is shown."
    )


def test_models_without_a_hit_are_named_together() -> None:
    names = ("xlstm L50", "bert4rec L50", "sasrec L50")
    assert said(*(standing(name, 0.0) for name in names)) == (
        "ml-100k: no model is shown to be best in NDCG@10/test: xlstm L50, bert4rec L50 and "
        "sasrec L50 have no hit among 90 users [0.0000, 0.0100]. No difference is shown."
    )
    one = said(standing("a", 0.015), standing("b", 0.0))
    assert "a 0.0150 [0.0050, 0.0250] and b has no hit among 90 users [0.0000, 0.0100]." in one


def test_equal_models_are_named_together() -> None:
    text = said(standing("b L50", 0.1), standing("a L50", 0.1), standing("c L50", 0.095))
    assert ": b L50 and a L50 0.1000 [0.0900, 0.1100] each and c L50 0.0950" in text


def test_of_one_seed_figures_are_told_and_no_more() -> None:
    text = said(standing("a L50", 0.2, 1), standing("b L50", 0.1, 1))
    assert text == (
        "ml-100k, NDCG@10/test: one seed each: no conclusion; `seqbench run … --seed 1,2,3`. Over "
        "users alone: a L50 0.2000 [0.1900, 0.2100] and b L50 0.1000 [0.0900, 0.1100]."
    )


def test_a_model_of_one_seed_keeps_any_other_from_being_best() -> None:
    text = said(standing("a", 0.3), standing("b", 0.2), standing("c", 0.1, 1))
    assert text.startswith("ml-100k: no model is shown to be best")
    assert "a is shown to be above b (" in text
    assert text.endswith(
        "no other difference is shown. c has one seed: no conclusion; `seqbench run … --seed "
        "1,2,3`."
    )


def test_one_model_alone() -> None:
    assert said(standing("a L50", 0.2)) == (
        "ml-100k: a L50 alone, with NDCG@10/test 0.2000 [0.1900, 0.2100]: there is nothing to "
        "compare it with."
    )


MODELS = st.lists(
    st.tuples(st.integers(0, 12).map(lambda n: n / 100), st.integers(1, 3)), min_size=2, max_size=5
)


@given(MODELS, st.randoms(use_true_random=False))
def test_no_more_is_said_than_is_shown_whatever_the_names(
    models: list[tuple[float, int]], chance: object
) -> None:
    names = [f"m{n} L50" for n in range(len(models))]
    chance.shuffle(names)  # type: ignore[attr-defined]
    ranked = [standing(name, *model) for name, model in zip(names, models, strict=True)]
    text = said(*ranked)
    best = [
        each
        for each in ranked
        if all(
            each is other
            or (each.mean - other.mean > 0.02 and min(each.side.seeds, other.side.seeds) > 1)
            for other in ranked
        )
    ]
    told = re.findall(r"(m\d L50) is shown to be best", text)
    assert told == [each.side.label for each in best]
    if sum(each.side.seeds > 1 for each in ranked) < 2:
        assert not CLAIMS.search(text)
    for each in ranked:
        assert each.side.label in text


def test_families_and_intervals_are_named() -> None:
    assert family_text(Family("cells", 72)) == "the 72 comparisons of two cells listed here"
    assert family_text(Family("metrics", 3)) == "the 3 metrics of these two"
    assert family_text(Family("models", 1)) == "the one comparison of two models on this data set"
    families = [("ml-100k", Family("models", 3)), ("ml-1m", Family("models", 0))]
    assert standing_note(families).endswith("tests of two models on a data set: 3 on ml-100k.")
    assert standing_note(families[1:]).endswith("of a metric over users alone.")
    assert costs_note(Family("models", 0), Family("costs", 5), 1.05) == (
        "Brackets hold 95 % intervals: of costs over seeds. p is corrected (Holm) for the 5 "
        "comparisons of costs in this table. Ratios below 1.05 aren't reported."
    )
    assert costs_note(Family("models", 0), Family("costs", 0), 1.05).startswith("Ratios")


@pytest.mark.parametrize(
    ("over", "words"),
    [
        ((USERS_AND_SEEDS,), "over users (paired) and seeds."),
        ((USERS_ALONE,), "over users (paired) alone."),
        ((USERS_AND_SEEDS, USERS_ALONE), "over the seeds of each cell that has more than one."),
    ],
)
def test_a_caption_of_intervals_is_true_of_all_of_them(over: tuple[str, ...], words: str) -> None:
    claims = [Claim("x", "a", "b", 0.1, 0.0, 0.2, each) for each in over]
    assert interval_note(claims).endswith(words)
    assert pairs_notes(claims, [])[0] == interval_note(claims)
    assert pairs_notes([], []) == []


@pytest.mark.parametrize(("fitted", "seeds"), [(True, 1), (False, 1), (True, 2)])
def test_one_run_of_a_fitted_model_is_explained(fitted: bool, seeds: int) -> None:
    claims = [Claim("x", "a", "b", 0.1, 0.0, 0.2, USERS_ALONE)]
    notes = pairs_notes(claims, [Side("a", seeds, fitted=fitted), Side("b", 3)])
    told = "A fitted model is the same for every seed, so that one run is enough."
    assert (told in notes) == (fitted and seeds == 1)


@pytest.mark.parametrize(
    ("p", "text"), [(0.0001, "p < .001"), (0.0123, "p = .012"), (1.0, "p = 1.000")]
)
def test_a_p_has_three_digits(p: float, text: str) -> None:
    assert p_text(p) == text
