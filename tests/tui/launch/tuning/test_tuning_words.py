"""What a study will cost, in words."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from engine.config import Catalogue, SlurmProfile, load_catalogue
from engine.machine.estimates import CostEstimate
from engine.machine.slots import Slot
from engine.planning import StudyCost, StudyOrder, plan_study, study_cost
from tui.launch.tuning.words import cost_facts, total_text

PAST = CostEstimate("past", epoch_seconds=2.0, run_seconds=30.0, memory_mib=None)
MEASURED = CostEstimate("measured", epoch_seconds=2.0, run_seconds=None, memory_mib=None)
SLOTS = [Slot(f"cpu/{place}", "cpu", "CPU", 1) for place in range(2)]


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


def cost(catalogue: Catalogue, *costs: CostEstimate | None, **order: object) -> StudyCost:
    """The cost of a study of a model for each of these costs of its runs."""
    models = ["sasrec", "xlstm"][: len(costs)]
    asked = {"models": models, "settings": {"epochs": 27}} | order
    first = plan_study(catalogue, None, StudyOrder(dataset="synthetic", length=50, **asked))
    of = dict(zip(models, costs, strict=True))
    return study_cost(first, lambda spec: of[spec.model])


def lines(found: StudyCost, launcher: SlurmProfile | None = None, measuring: str = "") -> list[str]:
    facts = cost_facts(found, lambda name: f"The {name}", launcher, measuring)
    return [f"{label}: {text}" for label, text in facts]


@pytest.mark.parametrize(
    ("costs", "order", "said", "total"),
    [
        (
            [PAST], {"trials": 10},
            ["10 trials, about 5 m 00 s; then 3 runs, about 1 m 30 s"],
            "13 runs, about 3 m 30 s in 2 slots",
        ),
        (
            [MEASURED], {"trials": 10, "final_seeds": 0},
            ["10 trials, at most 9 m 00 s"],
            "10 runs, at most 4 m 30 s in 2 slots",
        ),
        (
            [PAST], {"trials": 10, "minutes": 2, "final_seeds": 1},
            ["4 of 10 trials, about 2 m 00 s; then 1 run, about 30 s"],
            "5 runs, about 1 m 30 s in 2 slots",
        ),
        (
            [MEASURED], {"trials": 10, "minutes": 1.8, "final_seeds": 0},
            ["at least 2 of 10 trials, about 1 m 48 s"],
            "2 runs, at most 54 s in 2 slots",
        ),
        (
            [PAST, None], {"trials": 1, "minutes": 2},
            ["1 trial, about 30 s; then 3 runs, about 1 m 30 s",
             "1 trial or 2 min, then 3 runs of the best"],
            "8 runs, time not known yet",
        ),
    ],
)  # fmt: skip
def test_each_model_has_its_budget_and_time(
    catalogue: Catalogue,
    costs: Sequence[CostEstimate | None],
    order: dict[str, object],
    said: list[str],
    total: str,
) -> None:
    found = cost(catalogue, *costs, **order)
    titles = ["The sasrec", "The xlstm"]
    written = [f"{title}: {text}" for title, text in zip(titles, said, strict=False)]
    assert lines(found)[: len(said)] == written
    assert total_text(found, SLOTS, None) == total


def test_where_the_estimate_is_from_is_said(catalogue: Catalogue) -> None:
    as_if = "as if each trial cost what the recipe does"
    found = cost(catalogue, PAST, MEASURED)
    assert lines(found)[-1] == f"Estimate: from past runs here, measured just now, {as_if}"
    found = cost(catalogue, PAST, None)
    said = lines(found, measuring="measuring 1 more run …")[-1]
    assert said == f"Estimate: from past runs here, {as_if}; measuring 1 more run …"
    assert lines(cost(catalogue, None), measuring="measuring 1 run …")[-1].startswith(
        "Estimate: me"
    )
    assert len(lines(cost(catalogue, None))) == 1


def test_nothing_is_known_of_the_nodes_of_a_cluster(catalogue: Catalogue) -> None:
    found = cost(catalogue, PAST, trials=10)
    slurm = SlurmProfile(name="big", kind="slurm", jobs=4, cpus=8)
    assert lines(found, slurm) == [
        "The sasrec: 10 trials, then 3 runs of the best",
        "Where: big: 4 jobs at once, 8 cores each",
    ]
    assert total_text(found, SLOTS, slurm) == "13 runs"
    assert total_text(found, [], None) == "13 runs, time not known yet"
