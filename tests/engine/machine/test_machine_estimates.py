"""What launching costs: laid out over slots, and measured by really training."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import psutil
import pytest

from engine.config import Catalogue, load_catalogue
from engine.errors import TrainingError
from engine.machine.estimates import MeasuringProcess, cost_key, peak_memory
from engine.machine.slots import Slot
from engine.planning import StudyOrder, plan_study
from engine.spec import RunSpec

CPU = Slot("cpu/0", "cpu", "CPU", 1)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


def test_the_largest_may_meet() -> None:
    assert peak_memory([1, 5, 3], 2) == 8
    assert peak_memory([1], 4) == 1


def spec_of(catalogue: Catalogue, **changes: object) -> RunSpec:
    return catalogue.run_spec("sasrec", "synthetic", 10, 1, overrides=changes)  # type: ignore[arg-type]


def test_equal_costs_have_equal_keys(catalogue: Catalogue) -> None:
    plain = spec_of(catalogue)
    assert cost_key(spec_of(catalogue, lr=0.5, epochs=3)) == cost_key(plain)
    assert cost_key(plain.model_copy(update={"seed": 9})) == cost_key(plain)
    assert cost_key(spec_of(catalogue, dim=32)) != cost_key(plain)
    assert cost_key(plain.model_copy(update={"length": 11})) != cost_key(plain)


def test_a_trial_costs_less_than_a_run_that_is_evaluated_on_test(catalogue: Catalogue) -> None:
    order = StudyOrder(["sasrec"], "synthetic", 10, sampler="random")
    (trial,) = plan_study(catalogue, None, order)
    assert cost_key(trial) != cost_key(trial.model_copy(update={"trial": None}))
    assert cost_key(trial.model_copy(update={"trial": None})) == cost_key(spec_of(catalogue))


@pytest.mark.usefixtures("own_process")
def test_a_measurement_is_a_real_one_and_leaves_nothing_behind(catalogue: Catalogue) -> None:
    spec = spec_of(catalogue)
    source = spec.source.model_dump() | {"users": 120, "items": 40, "interactions": 3_600}
    measuring = MeasuringProcess(
        RunSpec.model_validate(spec.model_dump() | {"source": source}), CPU
    )
    cost = measuring.result()
    assert cost.source == "measured"
    assert 0.001 < cost.epoch_seconds < 600
    assert cost.memory_mib is not None
    assert 100 < cost.memory_mib < 10_000  # torch alone takes more than the least
    assert not psutil.pid_exists(measuring.pid)


def test_one_that_is_stopped_says_so_at_once(catalogue: Catalogue) -> None:
    measuring = MeasuringProcess(spec_of(catalogue), CPU)
    os.kill(measuring.pid, signal.SIGSTOP)  # it never ends by itself
    assert os.getpriority(os.PRIO_PROCESS, measuring.pid) >= 10
    threading.Timer(0.1, measuring.stop).start()
    with pytest.raises(TrainingError, match="interrupted"):
        measuring.result()


def test_data_that_is_not_here_is_a_sentence(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.delenv("SEQBENCH_DATA", raising=False)
    monkeypatch.setenv("SEQBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("xdg")))
    spec = catalogue.run_spec("sasrec", "ml-10m", 10, 1)
    with pytest.raises(TrainingError, match="MovieLens 10M"):
        MeasuringProcess(spec, CPU).result()


RAISES = """\
import torch

from engine.models import Definition, ModelSettings, OwnLossModel

print("A file may print.")

class Raises(OwnLossModel):
    def __init__(self, settings, num_items, length):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(num_items + 1))

    def loss(self, items):
        STATEMENT

    def scores(self, items, times=None):
        return self.weight.expand(len(items), -1)

MODEL = Definition("Raises", ModelSettings, Raises)
"""


@pytest.mark.parametrize(
    ("statement", "told"),
    [('return {}["no such key"]', "KeyError: 'no such key'"), ("assert None", "AssertionError:")],
)
def test_what_a_model_of_ones_own_raises_is_told_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, statement: str, told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "raises.py").write_text(RAISES.replace("STATEMENT", statement))
    spec = load_catalogue().run_spec("raises", "synthetic", 10, 1)
    line = RAISES[: RAISES.index("STATEMENT")].count("\n") + 1
    with pytest.raises(TrainingError, match=rf"\.py:{line}: {told}\."):
        MeasuringProcess(spec, CPU).result()
