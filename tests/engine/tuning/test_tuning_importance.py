"""Which settings decide."""

from __future__ import annotations

import math
import random
import subprocess
import sys
from dataclasses import replace

import pytest

from engine.spec import Range, Space
from engine.tuning.ask import Past
from engine.tuning.importance import LEAST, TOP, importances

SPACE: Space = {
    "dropout": Range(low=0.0, high=0.9, step=0.1),
    "lr": Range(low=0.0001, high=0.1, log=True),
    "dim": (16, 32, 64, 128),
    "tied": (True, False),
}


def drawn(trials: int, seed: int) -> list[Past]:
    """Trials at random of which nothing but the learning rate decides."""
    chance = random.Random(seed)
    past = []
    for _ in range(trials):
        lr = 10 ** chance.uniform(-4, -1)
        settings = {
            "lr": lr, "dropout": chance.randrange(10) / 10, "dim": chance.choice((16, 32, 64, 128)),
            "tied": chance.random() < 0.5,
        }  # fmt: skip
        past.append(Past(settings, "done", 0.2 - 0.05 * abs(math.log10(lr / 0.003))))
    return past


def test_what_decides_is_first_and_more_than_chance() -> None:
    found = importances(SPACE, drawn(40, 1), 1)
    assert found is not None
    assert found[0].setting == "lr"
    assert found[0].share > 0.5
    assert found[0].by_chance < 0.05
    assert sum(each.share for each in found) == pytest.approx(1)
    assert [each.share for each in found] == sorted((each.share for each in found), reverse=True)
    again = [importances(SPACE, drawn(LEAST, 1), 1) for _ in range(2)]
    assert again[0] == again[1]


def test_what_decides_nothing_is_often_as_high_by_chance() -> None:
    """Of settings that decide nothing the share by chance is as good as any."""
    shares = [
        each.by_chance
        for seed in range(3)
        for each in importances(SPACE, drawn(30, seed), seed) or []
        if each.setting != "lr"
    ]
    assert len(shares) == 9
    assert sum(share < 0.1 for share in shares) <= 3
    assert max(shares) > 0.5


def test_of_few_trials_nothing_is_told() -> None:
    past = drawn(LEAST, 2)
    assert importances(SPACE, past, 1) is not None
    assert importances(SPACE, past[1:], 1) is None
    outside = Past({**past[0].settings, "dim": 8}, "done", 0.3)  # a recipe as it stands, say
    assert importances(SPACE, [*past[1:], outside], 1) is None
    failed = Past(past[0].settings, "failed", None)
    assert importances(SPACE, [*past[1:], failed], 1) is None


@pytest.mark.parametrize("done", [0, TOP - 1, TOP])
def test_where_the_best_are_no_better_than_the_worst_nothing_is_told(done: int) -> None:
    """Optuna would warn, and call all settings as important as each other."""
    past = drawn(LEAST + 2, 3)
    failed = [replace(each, value=0.0) for each in past[done:]]
    found = importances(SPACE, [*past[:done], *failed], 1)
    assert (found is None) == (done < TOP)


def test_it_needs_nothing_heavy() -> None:
    code = (
        "import sys; sys.path.insert(0, 'tests/engine/tuning')\n"
        "from test_tuning_importance import SPACE, drawn, importances\n"
        "assert importances(SPACE, drawn(12, 1), 1)\n"
        "print({'sklearn', 'scipy', 'torch', 'pandas'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
