"""Pros and cons: nothing is said that the figures don't support, and what is said cites them."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.analysis.claims.balance import OTHER_ENERGY
from engine.analysis.claims.claim import LEVEL
from engine.analysis.costs import EPOCH, PARAMETERS, SPEED_1, TO_BEST, CostedCell
from engine.analysis.pairs.cells import RankedCell
from engine.analysis.tradeoffs import (
    WORTH_TELLING,
    Sentence,
    Tradeoffs,
    Weighed,
    contenders,
    tradeoffs,
)
from engine.cell import Cell
from engine.marks import STILL_IMPROVING
from engine.store.costs.runs import RunCosts

USERS = 120


def cell(
    model: str,
    ranks: np.ndarray,
    costs: list[RunCosts],
    *,
    length: int = 50,
    valid: float = 0.1,
    parameters: int = 1_000,
    device: str = "cpu",
    marks: str | None = None,
    refit: bool = False,
) -> CostedCell:
    name = Cell(model, "d", length, "reference", "s", "c")
    runs = tuple(
        {"run": f"{model}{length}{seed}", "NDCG@10/valid": valid, "Model/TotalParams": parameters,
         "device": device, "dtype": "float32", "marks": marks,
         "refit": "true" if refit else None}
        for seed in range(len(ranks))
    )  # fmt: skip
    return CostedCell(
        RankedCell(name, ("d", 1, "leave-one-out", "c"), runs, ranks, f"{model} L{length}"),
        tuple(costs),
    )


def balance(*cells: CostedCell) -> Tradeoffs:
    (result,) = tradeoffs(cells, "ndcg", masked=False)
    return result


def ranks_of(generator: np.random.Generator, seeds: int, shift: float) -> np.ndarray:
    easy = np.random.default_rng(0).normal(2, 1.5, USERS)
    drawn = np.exp(easy + shift + generator.normal(0, 0.4, (seeds, 1, USERS)))
    return np.clip(drawn, 1, 500).astype(np.int32).repeat(2, axis=1)


def costs_of(generator: np.random.Generator, seeds: int, factor: float) -> list[RunCosts]:
    return [
        RunCosts(*(factor * value * generator.lognormal(0, 0.05) for value in (9, 1, 800, 700)),
                 *(rate / factor * generator.lognormal(0, 0.05) for rate in (500, 9_000)))
        for _ in range(seeds)
    ]  # fmt: skip


def told(found: Tradeoffs) -> list[Sentence]:
    return [sentence for each in found.balances for sentence in (*each.pros, *each.cons)]


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10_000),
    st.lists(
        st.tuples(st.sampled_from([0.0, 0.0, 0.4, 1.2]), st.sampled_from([1.0, 1.0, 1.03, 2.0]),
                  st.integers(1, 4), st.integers(900, 1_100)),
        min_size=2, max_size=4,
    ),
)  # fmt: skip
def test_no_sentence_claims_a_difference_whose_interval_has_nothing_in_it(
    seed: int, models: list[tuple[float, float, int, int]]
) -> None:
    generator = np.random.default_rng(seed)
    cells = [
        cell(f"m{number}", ranks_of(generator, seeds, shift), costs_of(generator, seeds, factor),
             parameters=parameters)
        for number, (shift, factor, seeds, parameters) in enumerate(models)
    ]  # fmt: skip
    found = balance(*cells)
    for each in found.balances:
        for side, sentences in (("winner", each.pros), ("loser", each.cons)):
            for sentence in sentences:
                assert sentence.weighed
                for weighed in sentence.weighed:
                    assert getattr(weighed, side) is each.cell
                    _check(weighed)
                    _check_cited(sentence.text, weighed, side)
        for text in each.open:
            assert ("no difference shown" in text) != ("no conclusion" in text)
    alone = sum(len(each.cell.cell.ranks) == 1 for each in found.balances)
    several = len(found.balances) - alone
    assert found.family.comparisons == several * (several - 1) // 2


def _check(weighed: Weighed) -> None:
    claim, cost = weighed.claim, weighed.cost
    seeds = min(len(weighed.winner.costs), len(weighed.loser.costs))
    if cost is None:
        assert seeds > 1
        assert claim.low > 0
        assert weighed.figures[0] > weighed.figures[1]
    else:
        assert claim.low > 1
        assert claim.estimate >= WORTH_TELLING
        better, worse = weighed.figures
        assert better > worse if cost.better == "higher" else better < worse
        assert cost.exact or seeds > 1
    if cost is None or not cost.exact:
        assert claim.p is not None
        assert claim.p < LEVEL


def _check_cited(text: str, weighed: Weighed, side: str) -> None:
    """Both figures stand in the sentence, and the other cell's name."""
    other = weighed.loser if side == "winner" else weighed.winner
    assert other.label in text
    numbers = [float(n.replace(",", "")) for n in re.findall(r"\d[\d,]*\.?\d*", text)]
    for value in weighed.figures:
        assert any(abs(value - number) <= 0.006 * max(value, 1) for number in numbers), text


def test_everything_is_told_once_of_each_side() -> None:
    generator = np.random.default_rng(7)
    good = cell("good", ranks_of(generator, 3, 0.0), costs_of(generator, 3, 1.0))
    slow = cell("slow", ranks_of(generator, 3, 1.5), costs_of(generator, 3, 3.0), parameters=3_000)
    found = balance(slow, good)
    best, worst = found.balances
    assert (best.cell, worst.cell) == (good, slow)
    assert len(best.pros) == len(worst.cons) == 7
    assert (best.cons, worst.pros, best.open, worst.open) == ((), (), (), ())
    # Of seven costs parameters are exact, and the process's memory stands back for the GPU's.
    assert found.cost_family.comparisons == 5
    texts = [sentence.text for sentence in best.pros]
    assert any("1,000 parameters; 3.0 times that with slow L50 (3,000)." in t for t in texts)
    rates = next(s for s in worst.cons if s.weighed[0].cost is SPEED_1)
    assert re.search(r"Recommends for \d+ users per second, at batch size 1; [\d.]+ \[", rates.text)


def test_equal_models_have_neither_pros_nor_cons() -> None:
    generator = np.random.default_rng(8)
    twins = [cell(name, ranks_of(generator, 3, 0.5), costs_of(generator, 3, 1.0)) for name in "ab"]
    found = balance(*twins)
    assert told(found) == []
    assert all("no difference shown" in each.open[0] for each in found.balances)


def test_a_cost_that_is_nothing_is_no_multiple_of_another() -> None:
    """A fitted model has no parameters."""
    generator = np.random.default_rng(3)
    cells = [
        cell(name, ranks_of(generator, 1, 0.0), costs_of(generator, 1, 1.0), parameters=parameters)
        for name, parameters in (("net", 500), ("counts", 0), ("pairs", 0))
    ]
    assert not [each for each in told(balance(*cells)) if "parameters" in each.text]


def test_one_seed_says_nothing_but_of_parameters() -> None:
    generator = np.random.default_rng(9)
    one = cell("one", ranks_of(generator, 1, 0.0), costs_of(generator, 1, 1.0), parameters=500)
    two = cell("two", ranks_of(generator, 3, 2.5), costs_of(generator, 3, 9.0))
    found = balance(one, two)
    assert {s.weighed[0].cost for s in told(found)} == {PARAMETERS}
    assert [each.open for each in found.balances] == [
        ("NDCG@10/test against two L50: one L50 has one seed: no conclusion.",),
        ("NDCG@10/test against one L50: one L50 has one seed: no conclusion.",),
    ]
    assert "Times, energy, memory and rates of a cell with one seed aren't compared." in found.notes


def test_other_devices_are_not_compared_in_time() -> None:
    generator = np.random.default_rng(10)
    here = cell("here", ranks_of(generator, 3, 0.0), costs_of(generator, 3, 1.0))
    there = cell("there", ranks_of(generator, 3, 0.0), costs_of(generator, 3, 9.0), device="gpu")
    found = balance(here, there)
    assert told(found) == []
    assert any("different devices" in note for note in found.notes)


def test_disturbed_runs_are_not_compared_in_time() -> None:
    generator = np.random.default_rng(6)
    here = cell("here", ranks_of(generator, 3, 0.0), costs_of(generator, 3, 1.0))
    shared = cell(
        "shared", ranks_of(generator, 3, 0.0), costs_of(generator, 3, 9.0), marks="shared"
    )
    found = balance(here, shared)
    assert found.cost_family.comparisons == 0
    assert found.notes == ("Times, energy, memory and rates of marked runs aren't compared.",)


def test_what_was_still_improving_is_neither_above_nor_below_nor_sooner_done() -> None:
    generator = np.random.default_rng(13)
    done = cell("done", ranks_of(generator, 3, 0.0), costs_of(generator, 3, 1.0))
    cut = cell(
        "cut", ranks_of(generator, 3, 2.5), costs_of(generator, 3, 9.0), marks="still-improving"
    )
    found = balance(done, cut)
    assert {s.weighed[0].cost for s in told(found)}.isdisjoint({None, TO_BEST})
    assert EPOCH in {s.weighed[0].cost for s in told(found)}
    assert found.family.comparisons == 0
    for each in found.balances:
        assert "cut L50 was still improving at its epoch limit: no conclusion" in each.open[0]
    assert any("the chosen epoch aren't compared" in note for note in found.notes)


def test_why_nothing_is_concluded_is_said_once_of_a_model_and_once_of_others() -> None:
    generator = np.random.default_rng(15)
    cut = [
        cell(f"cut{n}", ranks_of(generator, 2, 1.0), costs_of(generator, 2, 1.0),
             marks="still-improving")
        for n in range(6)
    ]  # fmt: skip
    done = [
        cell(f"done{n}", ranks_of(generator, 2, 0.0), costs_of(generator, 2, 1.0)) for n in (1, 2)
    ]
    for each in balance(*cut, *done).balances:
        of_cut = each.cell in cut
        said = [text for text in each.open if "no conclusion" in text]
        assert len(said) == (2 if of_cut else 1)
        for other in (*cut, *done):
            about = sum(f"{other.label}," in text or f"{other.label} and" in text
                        or f"{other.label}: " in text for text in said)  # fmt: skip
            assert about == (other is not each.cell and (of_cut or other in cut))
        if of_cut:
            assert f"{each.cell.label} was still improving at its epoch limit" in said[0]
        assert "of the cells were still improving at their epoch limit" in said[-1]


def test_of_equal_lengths_on_validation_the_shorter_stands() -> None:
    generator = np.random.default_rng(14)
    costs = costs_of(generator, 2, 1.0)
    long, short = (
        cell("m", ranks_of(generator, 2, shift), costs, length=length)
        for length, shift in ((100, 0.0), (50, 2.0))
    )
    assert [each.cell for each in balance(long, short).balances] == [short]


def test_a_model_stands_at_the_length_that_validation_prefers() -> None:
    generator = np.random.default_rng(11)
    costs = costs_of(generator, 3, 1.0)
    short = cell("m", ranks_of(generator, 3, 2.0), costs, length=50, valid=0.2)
    long = cell("m", ranks_of(generator, 3, 0.0), costs, length=100, valid=0.1)
    assert [each.cell for each in balance(short, long).balances] == [short]


def test_a_refit_is_compared_with_refits_alone() -> None:
    generator = np.random.default_rng(13)
    costs = costs_of(generator, 2, 1.0)
    a, b = (cell(model, ranks_of(generator, 2, 2.0), costs) for model in "ab")
    more = [cell(model, ranks_of(generator, 2, 0.0), costs, refit=True) for model in "abc"]
    assert {id(each.cell) for each in balance(*more, a, b).balances} == {id(a), id(b)}
    found = balance(*more)
    assert {id(each.cell) for each in found.balances} == set(map(id, more))
    assert len(found.claims) == 3


@pytest.mark.parametrize("estimate", [1.0, 1.04])
def test_a_small_ratio_is_not_worth_telling_however_sure(estimate: float) -> None:
    generator = np.random.default_rng(12)
    ranks = ranks_of(generator, 2, 0.0)
    exact = [RunCosts(9, 1, 800, 700, 500, 9_000)] * 2
    more = [RunCosts(9 * estimate, estimate, 800 * estimate, 700, 500, 9_000)] * 2
    assert told(balance(cell("a", ranks, exact), cell("b", ranks, more))) == []


def test_what_went_on_past_its_limit_in_vain_stands_for_its_model() -> None:
    generator = np.random.default_rng(8)
    cut = cell("m", ranks_of(generator, 2, 0), costs_of(generator, 2, 1), marks=STILL_IMPROVING)
    whole = cell("m", ranks_of(generator, 2, 0), costs_of(generator, 2, 1))
    for cells in ([cut, whole], [whole, cut]):
        assert contenders(cells, "ndcg", masked=False) == [whole]


@pytest.mark.parametrize(
    ("one", "other", "compared"),
    [("GPU", "GPU", True), ("GPU", "GPU + CPU", False), ("CPU", "GPU", False), (None, None, False)],
)
def test_energy_is_compared_where_it_is_of_the_same_devices(
    one: str | None, other: str | None, compared: bool
) -> None:
    """All else is equal: what one takes of it is ten times what the other takes."""
    generator = np.random.default_rng(3)

    def frugal(of: str | None, factor: float) -> CostedCell:
        costs = [
            RunCosts(9, 1, 800, 700, 500, 9_000,
                     joules_per_epoch=factor * joules if of else None,
                     joules_to_best=9 * factor * joules if of else None, joules_of=of)
            for joules in (20.0, 20.1, 19.8)
        ]  # fmt: skip
        return cell(f"m{factor:.0f}", ranks_of(generator, 3, 0.0), costs)

    found = balance(frugal(one, 1), frugal(other, 10))
    spoken = [sentence.text for sentence in told(found)]
    assert any(text.startswith("Energy per epoch is") for text in spoken) == compared
    assert any(text.startswith("Energy to the chosen epoch is") for text in spoken) == compared
    if compared:
        (pros,) = (each.pros for each in found.balances if each.cell.cell.cell.model == "m1")
        assert "10" in pros[-1].text
        assert " J" in pros[-1].text
    assert (OTHER_ENERGY in found.notes) == (one != other)
