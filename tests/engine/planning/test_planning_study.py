"""Studies to begin: what they try, and what they will cost."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.config import Catalogue, load_catalogue
from engine.errors import UsageError
from engine.machine.estimates import CostEstimate
from engine.machine.slots import Slot
from engine.planning import StudyCost, StudyOrder, fitted_sentence, plan_study, study_cost
from engine.rungs import REDUCTION, halved, rungs
from engine.spec import RunSpec

COST = CostEstimate("past", epoch_seconds=2.0, run_seconds=30.0, memory_mib=100.0)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


def cost(catalogue: Catalogue, of: CostEstimate | None = COST, **order: object) -> StudyCost:
    """The cost of a study whose runs each cost the same; those of test half a second an epoch
    more."""
    asked = {"models": ["sasrec", "xlstm"], "settings": {"epochs": 27}} | order
    first = plan_study(catalogue, None, StudyOrder(dataset="synthetic", length=50, **asked))

    def cost_of(spec: RunSpec) -> CostEstimate | None:
        if of is None or spec.trial is not None or of.run_seconds is None:
            return of
        return CostEstimate(of.source, of.epoch_seconds + 0.5, 1.25 * of.run_seconds, None)

    return study_cost(first, cost_of)


def slots(number: int) -> list[Slot]:
    return [Slot(f"cpu/{place}", "cpu", "CPU", 1) for place in range(number)]


def test_spaces_that_are_given_go_before_the_configured_ones(catalogue: Catalogue) -> None:
    order = StudyOrder(["sasrec"], "synthetic", 50, spaces={"sasrec": {"dim": [8, 16]}})
    (first,) = plan_study(catalogue, None, order)
    assert first.trial is not None
    assert first.trial.study.models[0].space == {"dim": (8, 16)}
    with pytest.raises(UsageError, match="dim of sasrec: expected a number of at least 1"):
        plan_study(
            catalogue, None, StudyOrder(["sasrec"], "ml-1m", 50, spaces={"sasrec": {"dim": [0]}})
        )


def test_a_study_costs_its_trials_and_what_it_chooses(catalogue: Catalogue) -> None:
    found = cost(catalogue, trials=10, final_seeds=2)
    assert found.runs == 2 * (10 + 2)
    assert [each.model for each in found.models] == ["sasrec", "xlstm"]
    assert [each.seconds for each in found.models] == [300.0, 300.0]
    assert found.seconds(slots(1)) == pytest.approx(2 * 10 * 30 + 2 * 2 * 37.5)
    assert found.seconds(slots(2)) == pytest.approx(10 * 30 + 2 * 37.5)
    # Without whole runs like these, all epochs count.
    measured = CostEstimate("measured", 2.0, None, None)
    assert cost(catalogue, measured, trials=10).models[0].trial_seconds == 54.0


def test_a_study_ends_once_its_minutes_are_spent(catalogue: Catalogue) -> None:
    assert [each.trials for each in cost(catalogue, trials=10, minutes=2).models] == [4, 4]
    assert [each.trials for each in cost(catalogue, trials=3, minutes=2).models] == [3, 3]
    assert [each.trials for each in cost(catalogue, trials=3, minutes=0.01).models] == [1, 1]


def test_pruned_trials_cost_less(catalogue: Catalogue) -> None:
    never_early = CostEstimate("past", 2.0, 54.0, None)
    pruned = cost(catalogue, never_early, trials=18, prune="asha").models[0]
    # 9 trials end after 3 epochs, 5 after 9, 4 after all 27.
    assert pruned.seconds == pytest.approx(2.0 * (9 * 3 + 5 * 9 + 4 * 27))
    # Those that are trained to their end still stop early.
    assert cost(catalogue, trials=18, prune="asha").models[0].seconds == pytest.approx(
        2.0 * (9 * 3 + 5 * 9) + 4 * 30
    )


def test_without_an_estimate_nothing_is_said_of_time(catalogue: Catalogue) -> None:
    found = cost(catalogue, None, trials=10, minutes=2)
    assert found.runs == 2 * (10 + 3)
    assert found.seconds(slots(1)) is None
    assert [each.seconds for each in found.models] == [None, None]


def test_fitted_models_are_named_in_a_sentence() -> None:
    assert fitted_sentence(["markov"]).startswith("markov is fitted, not trained: it tries its")
    assert fitted_sentence(["a", "b", "c"]).startswith("a, b and c are fitted, not trained: they")


@given(st.integers(1, 200), st.integers(1, 400), st.integers(1, 400))
def test_halving_trains_each_trial_to_a_rung_and_one_to_its_end(
    trials: int, epochs: int, patience: int
) -> None:
    at = rungs(epochs, patience)
    found = halved(trials, epochs, at)
    ends = (*at, epochs)
    assert len(found) == trials
    assert set(found) <= set(ends)
    assert found.count(epochs) >= 1
    reached = [sum(end >= each for end in found) for each in ends]
    for before, after in pairwise(reached):
        assert after == max(1, before // REDUCTION)
