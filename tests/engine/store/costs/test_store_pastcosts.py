"""What runs have cost here: those of like settings, on a like device of this host."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from engine.process import own_identity
from engine.runfolder import RunFolder
from engine.rungs import PRUNED
from engine.spec import RunSpec, Study, Trial, TunedModel
from engine.store.costs.past import Hardware, PastCost, past_cost
from engine.store.database import StoreConnection, write
from engine.store.intake.ingest import ingest
from engine.store.transitions import begin_attempt, record_process

Make = Callable[..., RunSpec]
Train = Callable[..., None]

CPU = Hardware("cpu", "CPU", 2)


@pytest.fixture
def train(add_run: Callable[..., RunFolder], writer: StoreConnection) -> Train:
    """A run that went from its start to its end, as supervisor and journal tell it."""

    def trained(
        seconds: Sequence[float] = (3.0, 5.0),
        memory: float | None = 400.0,
        host: str | None = None,
        device: str = "a processor",
        kind: str = "cpu",
        threads: int = 2,
        worker: str | None = None,
        others: int = 0,
        cause: str = "completed",
        **settings: Any,
    ) -> None:
        folder = add_run(**settings)
        with write(writer):
            host = host or socket.gethostname()
            begin_attempt(writer, folder.run_id, "cpu/0", host, worker)
            record_process(writer, folder.run_id, 1, own_identity())
        column = "process_gpu_memory_mib" if kind == "cuda" else "process_memory_mib"
        lines: list[dict[str, Any]] = [
            {"kind": "start", "device": device, "device_kind": kind, "threads": threads,
             "users": 40, "valid_users": 10, "test_users": 30},
            *({"kind": "telemetry", column: part * (memory or 0), "gpu_others": others}
              for part in (0.5, 1.0) if memory),
            *(
                {"kind": "epoch", "epoch": n, "step": n, "train_seconds": each - 1,
                 "eval_seconds": 1.0}
                for n, each in enumerate(seconds, 1)
            ),
            {"kind": "end", "status": "done", "cause": cause, "message": "", "best_epoch": 1,
             "epochs_trained": len(seconds), "seconds": sum(seconds) + 1},
        ]  # fmt: skip
        text = "".join(
            json.dumps({"seq": seq, "t": 1e9 + seq, **line}) + "\n"
            for seq, line in enumerate(lines)
        )
        folder.path.mkdir(parents=True, exist_ok=True)
        folder.journal(1).write_text(text)
        ingest(writer, folder, 1)
        with write(writer):
            writer.execute("UPDATE attempts SET exited = ended WHERE run = ?", (folder.run_id,))

    return trained


@pytest.fixture
def make_trial(make_spec: Make) -> Make:
    """A trial of a study, whose settings are a run's."""

    def make(number: int = 0, **settings: Any) -> RunSpec:
        spec = make_spec(**settings)
        model = TunedModel(
            model=spec.model,
            profile="reference",
            architecture=spec.architecture,
            training=spec.training,
            space={"lr": (0.1, 0.2)},
        )
        study = Study(name="one", models=(model,), trials=9, seed=1, final_seeds=0)
        return spec.model_copy(update={"trial": Trial(number=number, study=study)})

    return make


def test_equal_runs_tell_time_and_peak_memory(
    train: Train, writer: StoreConnection, make_spec: Make
) -> None:
    train(seconds=(3.0, 5.0), memory=400.0, seed=1)
    train(seconds=(5.0, 7.0), memory=500.0, seed=2)
    found = past_cost(writer, make_spec(seed=9), CPU)
    assert isinstance(found, PastCost)
    assert (found.length, found.runs, found.memory_mib) == (50, 2, 500.0)
    assert found.epoch_seconds == pytest.approx(5.0)
    assert found.run_seconds == pytest.approx(10.0, abs=1.1)


@pytest.mark.parametrize(
    "other",
    [
        {"dim": 32},
        {"batch_size": 64},
        {"model": "bert4rec"},
        {"host": "elsewhere"},
        {"threads": 16},
        {"kind": "cuda"},
    ],
)
def test_runs_that_cost_otherwise_tell_nothing(
    train: Train, writer: StoreConnection, make_spec: Make, other: dict[str, Any]
) -> None:
    train(**other)
    assert past_cost(writer, make_spec(), CPU) is None


@pytest.mark.parametrize(
    "other", [{"lr": 0.1}, {"weight_decay": 0.1}, {"patience": 3}, {"epochs": 7}]
)
def test_settings_without_a_price_make_no_difference_to_an_epoch(
    train: Train, writer: StoreConnection, make_spec: Make, other: dict[str, Any]
) -> None:
    train(**other)
    found = past_cost(writer, make_spec(), CPU)
    assert found is not None
    assert found.epoch_seconds == pytest.approx(4.0)
    whole_runs_compare = not other.keys() & {"patience", "epochs"}
    assert (found.run_seconds is not None) == whole_runs_compare


def test_the_nearest_length_stands_in(
    train: Train, writer: StoreConnection, make_spec: Make
) -> None:
    train(length=100, seconds=(9.0,))
    train(length=60, seconds=(6.0,))
    train(length=55, seconds=(1.0,), dim=32)
    found = past_cost(writer, make_spec(length=50), CPU)
    assert found is not None
    assert (found.length, found.epoch_seconds) == (60, pytest.approx(6.0))
    assert past_cost(writer, make_spec(length=90), CPU).length == 100  # type: ignore[union-attr]


def test_a_trial_has_no_evaluation_on_test(
    train: Train, writer: StoreConnection, make_spec: Make, make_trial: Make
) -> None:
    # Of each epoch one second is evaluation, a quarter of it for the users of validation.
    train(seconds=(5.0, 5.0), seed=1)
    trial = past_cost(writer, make_trial(), CPU)
    assert trial is not None
    assert (trial.epoch_seconds, trial.run_seconds) == (4.25, pytest.approx(8.5))
    plain = past_cost(writer, make_spec(), CPU)
    assert plain is not None
    assert (plain.epoch_seconds, plain.run_seconds) == (5.0, 10.0)


def test_a_run_takes_longer_than_its_trials_and_than_pruned_ones(
    train: Train, writer: StoreConnection, make_spec: Make, make_trial: Make
) -> None:
    train(seconds=(5.0, 5.0), spec=make_trial(), cause=PRUNED)
    plain, trial = (past_cost(writer, make(), CPU) for make in (make_spec, make_trial))
    assert plain is not None
    assert trial is not None
    # What was pruned tells of an epoch, but not of a whole run.
    assert (trial.epoch_seconds, trial.run_seconds) == (5.0, None)
    assert (plain.epoch_seconds, plain.run_seconds) == (8.0, None)
    train(seconds=(6.0, 6.0), seed=3)
    own = past_cost(writer, make_spec(), CPU)
    assert own is not None
    assert (own.runs, own.epoch_seconds, own.run_seconds) == (1, 6.0, 12.0)


def test_runs_with_marked_times_tell_only_where_no_others_do(
    train: Train, writer: StoreConnection, make_spec: Make
) -> None:
    train(seconds=(9.0, 9.0), seed=1)
    writer.execute("UPDATE runs SET marks = 'busy-processor'")
    found = past_cost(writer, make_spec(), CPU)
    assert found is not None
    assert found.epoch_seconds == pytest.approx(9.0)
    train(seconds=(8.0, 4.0, 4.0), seed=2)
    train(seconds=(9.0, 9.0), seed=3)
    writer.execute("UPDATE runs SET marks = 'other-copy' WHERE seed = 2")
    writer.execute("UPDATE runs SET marks = 'shared' WHERE seed = 3")
    found = past_cost(writer, make_spec(), CPU)
    assert found is not None
    assert (found.runs, found.epoch_seconds) == (1, pytest.approx(4.0))


def test_a_gpu_is_known_by_its_name(train: Train, writer: StoreConnection, make_spec: Make) -> None:
    train(kind="cuda", device="NVIDIA H100", memory=2_000.0, threads=16)
    found = past_cost(writer, make_spec(), Hardware("cuda", "NVIDIA H100", 4))
    assert found is not None
    assert found.memory_mib == 2_000.0
    assert past_cost(writer, make_spec(), Hardware("cuda", "Tesla T4", 4)) is None


def test_runs_that_shared_a_process_tell_of_those_that_will(
    train: Train, writer: StoreConnection, make_spec: Make
) -> None:
    on_gpu: dict[str, Any] = {"kind": "cuda", "device": "NVIDIA H200", "worker": "GPU-0"}
    hardware = Hardware("cuda", "NVIDIA H200", 2)
    train(seconds=(8.0,), others=3, seed=1, **on_gpu)
    train(seconds=(9.0,), others=4, seed=2, **on_gpu)
    for packed in (False, True):  # there are no others
        found = past_cost(writer, make_spec(), hardware, packed=packed)
        assert found is not None
        assert (found.epoch_seconds, found.at_once, found.runs) == (8.5, 4.5, 2)
    train(seconds=(3.0,), seed=3, **on_gpu)
    alone = past_cost(writer, make_spec(), hardware)
    assert alone is not None
    assert (alone.epoch_seconds, alone.at_once) == (3.0, 1.0)
    found = past_cost(writer, make_spec(), hardware, packed=True)
    assert found is not None
    assert (found.epoch_seconds, found.at_once) == (8.5, 4.5)


def test_a_process_of_somebody_else_is_no_run_beside(
    train: Train, writer: StoreConnection, make_spec: Make
) -> None:
    train(kind="cuda", device="NVIDIA H200", others=1)
    found = past_cost(writer, make_spec(), Hardware("cuda", "NVIDIA H200", 2), packed=True)
    assert found is not None
    assert found.at_once == 1


def test_memory_that_nobody_saw_is_not_known(
    train: Train, writer: StoreConnection, make_spec: Make
) -> None:
    train(memory=None)
    found = past_cost(writer, make_spec(), CPU)
    assert found is not None
    assert found.memory_mib is None
