"""What is proposed for a failed run can be done."""

from __future__ import annotations

import pytest

from engine.analysis.run.remedy import remedy
from engine.config import load_catalogue
from engine.spec import amended

CAUSES = (
    "diverged",
    "out-of-memory",
    "killed",
    "disk-full",
    "hung",
    "data",
    "device",
    "launch",
    "lost",
    "error",
    None,
)


@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.parametrize("model", ["sasrec", "bert4rec", "xlstm"])
def test_every_proposed_change_makes_a_run(model: str, cause: str | None) -> None:
    spec = load_catalogue().run_spec(model, "ml-1m", 50, 1)
    found = remedy(cause, spec.model_dump(mode="json"))
    assert found.advice.endswith(".")
    changed = amended(spec, found.settings)
    assert (changed != spec) == bool(found.settings)


def test_it_makes_things_smaller_down_to_one() -> None:
    spec = load_catalogue().run_spec("sasrec", "ml-100k", 50, 1)
    text = spec.model_dump(mode="json")
    assert remedy("diverged", text).settings == {"lr": 0.0001}
    assert remedy("out-of-memory", text).change == "batch_size=64 eval_batch_size=256"
    text["training"] |= {"batch_size": 1, "eval_batch_size": 1}
    assert remedy("out-of-memory", text).settings == {}
    assert remedy("diverged", {}).settings == {}


def test_the_recipe_comes_before_a_part_of_what_failed() -> None:
    catalogue = load_catalogue()
    recipe = catalogue.run_spec("sasrec", "ml-100k", 50, 1).model_dump(mode="json")
    high = catalogue.run_spec("sasrec", "ml-100k", 50, 1, overrides={"lr": 10.0, "batch_size": 512})
    spec = high.model_dump(mode="json")
    usual = {name: recipe["training"][name] for name in ("lr", "batch_size", "eval_batch_size")}
    found = remedy("diverged", spec, recipe)
    assert found.settings == {"lr": usual["lr"]}
    assert found.of_recipe
    assert not found.retry, "the same run would diverge again"
    memory = remedy("out-of-memory", spec, recipe)
    assert memory.retry
    assert memory.settings["batch_size"] == usual["batch_size"]
    assert memory.settings["eval_batch_size"] == usual["eval_batch_size"] // 2
    assert not memory.of_recipe
    own = remedy("diverged", recipe, recipe)
    assert own.settings == {"lr": usual["lr"] / 10}
    assert not own.of_recipe, "the recipe itself diverged"
