"""Which paused trial trains on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.config import load_catalogue
from engine.planning import StudyOrder, plan_study
from engine.rungs import PRUNED
from engine.spec import Prune
from engine.store.studies import StoredTrial
from engine.tuning.progress import Progress, Promotion

Place = tuple[int, bool, str]
"""The epoch that a trial came to, whether it is paused there, and its state, or ``pruned``."""
PAUSED: Place = (10, True, "queued")


def progress(
    places: Sequence[Place], at_rungs: Mapping[int, Sequence[float]], prune: Prune = "asha"
) -> Progress:
    """A study whose rungs are after 10, 30 and 90 epochs of 300, and what the first of its trials
    had reached there."""
    order = StudyOrder(["sasrec"], "synthetic", 20, settings={"patience": "20"}, prune=prune)
    (first,) = plan_study(load_catalogue(), None, order)
    assert first.trial is not None
    trials = [
        StoredTrial(
            *(str(number), number, "sasrec", "done" if state == "pruned" else state),
            *(0.1, 1.0, epoch, 1, held),
            *(PRUNED if state == "pruned" else None, None, None, {}),
        )
        for number, (epoch, held, state) in enumerate(places)
    ]
    found = {rung: {str(n): value for n, value in enumerate(at)} for rung, at in at_rungs.items()}
    return Progress(first.trial.study, first, trials, found)


def test_the_best_half_of_a_rung_trains_on() -> None:
    values = [0.1, 0.4, 0.2, 0.3]
    assert progress([PAUSED] * 4, {10: values}).promotion() == Promotion("1", 30)
    ahead: Place = (30, False, "running")
    assert progress([PAUSED, ahead, PAUSED, PAUSED], {10: values}).promotion() == Promotion("3", 30)
    assert progress([PAUSED, ahead, PAUSED, ahead], {10: values}).promotion() is None
    assert progress([PAUSED], {10: [0.1]}).promotion() is None
    # Of equal ones the first.
    assert progress([PAUSED] * 2, {10: [0.1, 0.1]}).promotion() == Promotion("0", 30)


def test_the_highest_rung_comes_first() -> None:
    places: list[Place] = [(30, True, "queued"), (30, True, "queued"), PAUSED, PAUSED]
    found = progress(places, {10: [0.1, 0.1, 0.9, 0.8], 30: [0.5, 0.6]})
    assert found.promotion() == Promotion("1", 90)


def test_a_trial_that_is_paused_between_rungs_may_train_on() -> None:
    """As those of an earlier version are, which had other rungs."""
    places: list[Place] = [(33, True, "queued"), (33, True, "queued")]
    found = progress(places, {10: [0.1, 0.2], 30: [0.3, 0.2]})
    assert found.promotion() == Promotion("0", 90)


def test_at_the_end_one_trial_is_trained_on_unless_one_has_ended() -> None:
    values = {10: [0.2]}
    assert progress([PAUSED], values).last_promotion() == Promotion("0", 30)
    done: Place = (25, False, "done")
    assert progress([PAUSED, done], {10: [0.2, 0.1]}).last_promotion() is None
    pruned: Place = (10, False, "pruned")
    assert progress([PAUSED, pruned], {10: [0.2, 0.3]}).last_promotion() == Promotion("0", 30)


def test_without_pruning_nothing_is_promoted() -> None:
    found = progress([PAUSED] * 4, {}, "none")
    assert found.promotion() is found.last_promotion() is None
