"""What studies find and cost: the tables, and studies through the supervisor that make them."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.tuning.known import MADE_UP, searched
from benchmarks.tuning.record import StudyRecord, TrialRecord, read_records, write_records
from benchmarks.tuning.replay import affordable, halved, pruning, replayed, trained
from benchmarks.tuning.smoothed import smoothed
from benchmarks.tuning.studies import Wanted, executed
from benchmarks.tuning.tables import tables
from engine.config import load_catalogue
from engine.errors import UserError
from engine.planning import StudyOrder, plan_study
from engine.spec import Study
from engine.spread import spread
from engine.tuning.ask import Settings, ask


def trial(number: int, *valid: float, cause: str | None = None) -> TrialRecord:
    return TrialRecord(number, "done", cause, {"lr": 0.1}, valid, [2.0] * len(valid))


def study(sampler: str, prune: str, seed: int, trials: Sequence[TrialRecord]) -> StudyRecord:
    own = {"seed": seed, "trial": {"study": {"sampler": sampler, "prune": prune}}}
    return StudyRecord(own, ended=True, trials=trials, finals=[0.1 * seed, 0.3 * seed])


def row_of(text: str, start: str) -> list[str]:
    line, *_ = [line for line in text.splitlines() if line.startswith(f"| {start} |")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_studies_are_compared_seed_by_seed() -> None:
    whole = [trial(0, 0.1, 0.2), trial(1, 0.3, 0.25), trial(2, 0.4)]
    pruned = [trial(0, 0.1, cause="pruned"), trial(1, 0.3, 0.25), trial(2, 0.5, cause="pruned")]
    studies = [study("random", "none", seed, whole) for seed in (1, 2)]
    studies += [study("random", "asha", seed, pruned) for seed in (1, 2)]
    under_way = replace(study("random", "asha", 3, pruned), ended=False)
    text = tables([*studies, under_way])
    assert text.startswith("4 studies ended, 1 left out")
    none = row_of(text, "random, none")
    assert none[1:4] == ["2", ".2000 ± .0000", ".4000 ± .0000"]
    assert none[4:] == [".3000 ± .1414", "5 ± 0", "10 ± 0"]
    # What was pruned can't be chosen, though it had reached more.
    assert row_of(text, "random, asha")[2:4] == ["n/a", ".3000 ± .0000"]
    apart = row_of(text, "random, asha − random, none")
    assert apart[1:4] == ["2", "-.1000 ± .0000 (-.1000 to -.1000)", "0:2"]
    assert apart[5] == "× 0.80 ± 0.00"
    assert tables([under_way]).startswith("0 studies ended, 1 left out")


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    (tmp_path / "none").write_text("[1]")
    with pytest.raises(UserError, match="has no record of studies"):
        read_records(tmp_path / "none")
    made = [study("tpe", "none", 1, [trial(0, 0.1, 0.2), trial(1)])]
    write_records(tmp_path / "some", made)
    (found,) = read_records(tmp_path / "some")
    assert (found.chosen, found.epochs, found.seconds) == (0.2, 2, 4.0)
    assert found.trials[1].best is None


def test_the_known_function_is_highest_where_it_says() -> None:
    best = {"lr": 0.002, "dropout": 0.3, "layers": 2, "dim": 128, "heads": 4}
    assert MADE_UP.value(best) == pytest.approx(0.2)
    assert set(best) == set(MADE_UP.space)
    found = searched(MADE_UP, "random", 1, 20)
    assert found == sorted(found)
    assert found[-1] < 0.2
    # What is best by chance needn't be.
    noisy = searched(replace(MADE_UP, noise=0.1), "random", 1, 20)
    assert noisy != sorted(noisy)


def test_the_function_that_trials_follow_is_found_again(first: StudyRecord) -> None:
    space = Study.model_validate(first.spec["trial"]["study"]).models[0].space
    source = random.Random(1)

    def value(settings: Settings) -> float:
        return 0.1 - 0.02 * math.log10(settings["lr"] / 0.001) ** 2 - 0.1 * settings["dropout"]

    tried = [ask(space, "random", seed, 1, 20, []) or {} for seed in range(70)]
    trials = [
        TrialRecord(number, "done", None, each, [value(each) + source.gauss(0, 0.002)], [1.0])
        for number, each in enumerate(tried)
    ]
    found, words = smoothed([replace(first, trials=trials)])
    assert words.startswith("70 whole trials")
    assert 0.001 < found.noise < 0.004
    others = [ask(space, "random", seed, 1, 20, []) or {} for seed in range(100, 120)]
    apart = [found.value(each) - value(each) for each in others]
    assert spread(apart).deviation < 0.004  # type: ignore[union-attr,operator]
    with pytest.raises(UserError, match="needs 60 whole trials"):
        smoothed([replace(first, trials=trials[:50])])


@pytest.fixture
def first() -> StudyRecord:
    """A study of trials of at most nine epochs, whose rungs are after one and three."""
    order = StudyOrder(["sasrec"], "synthetic", 8, settings={"epochs": "9"}, sampler="random")
    (spec,) = plan_study(load_catalogue(), None, order)
    return StudyRecord(spec.model_dump(mode="json"), ended=True, trials=[], finals=[])


def rising(number: int, level: float) -> TrialRecord:
    return trial(number, *(level * epoch / 9 for epoch in range(1, 10)))


def test_halving_keeps_the_best_if_the_beginning_tells_the_end(first: StudyRecord) -> None:
    curves = [rising(number, 0.1 + number % 7 / 10) for number in range(18)]
    found, whole = halved(pruning(first), curves, slots=1), trained(curves)
    assert found.chosen == whole.chosen == max(curves[6].valid)
    assert whole.epochs == 18 * 9
    # At least the best half of each rung, more if better ones come later.
    assert 18 + 9 * 2 + 4 * 6 <= found.epochs < 0.6 * whole.epochs
    assert found.seconds == 2 * found.epochs
    # A late riser is pruned, and what failed is never chosen.
    late = trial(18, *[0.0] * 8, 1.0)
    failing = replace(rising(19, 2.0), state="failed")
    again = halved(pruning(first), [*curves, late, failing], slots=1)
    assert again.chosen == whole.chosen
    assert trained([*curves, late, failing]).chosen == 1.0


def test_trials_that_end_early_are_not_paused(first: StudyRecord) -> None:
    curves = [trial(number, 0.1 * number) for number in range(5)]
    assert halved(pruning(first), curves) == trained(curves)
    assert affordable(curves, 3) == curves[:3]


def test_a_replay_needs_trials_at_random(first: StudyRecord) -> None:
    with pytest.raises(UserError, match="twenty trials"):
        replayed([first], 5)
    order = [*range(21)]
    random.Random(1).shuffle(order)
    trials = [rising(number, 0.2 + level / 100) for number, level in enumerate(order)]
    text = replayed([replace(first, trials=trials)], 5)
    assert "rungs after 1, 3;" in text
    assert row_of(text, "10 | halving")[4:7] == ["100.0%", ".0000", "100%"]


@pytest.mark.slow
def test_studies_are_made_by_the_supervisor_and_ended_in_time(tmp_path: Path) -> None:
    wanted = Wanted(
        *(["random"], ["none", "asha"]),
        repeats=1,
        trials=3,
        model="sasrec",
        dataset="synthetic",
        length=8,
        slots="1",
        at_once=1,
        final_seeds=1,
        settings=["dim=16", "layers=1", "epochs=9"],
    )
    (tmp_path / "whole").mkdir()
    told: list[int] = []
    found = executed(wanted, tmp_path / "whole", lambda records: told.append(len(records)))
    assert told == [1, 2]
    none, asha = sorted(found, key=lambda each: each.kind, reverse=True)
    assert none.ended
    assert asha.ended
    assert [each.settings for each in asha.trials] == [each.settings for each in none.trials]
    assert none.epochs == 27
    assert asha.epochs == 9 + 2
    assert len(asha.finals) == len(none.finals) == 1
    replay = halved(pruning(none), none.trials, slots=1)
    assert (replay.epochs, replay.chosen) == (asha.epochs, asha.chosen)
    for pruned, whole in zip(asha.trials, none.trials, strict=True):
        assert pruned.valid == whole.valid[: len(pruned.valid)]

    (tmp_path / "part").mkdir()
    (left,) = executed(replace(wanted, seconds=0), tmp_path / "part")
    assert not left.ended
