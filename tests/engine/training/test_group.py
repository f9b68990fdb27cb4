"""Two processes train as one does, at the same batches: here on the CPU, over gloo."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from forked import CONTEXT
from objectives import known_objective
from own_models import OWN, with_model
from shared_run import BUSY, BUSY_SECONDS, compare_data, train_cases, trained

from engine.config import Catalogue
from engine.datasets.load import load_interactions
from engine.datasets.splitting.splits import split_data
from engine.spec import RunSpec
from engine.supervisor.launcher import TORCHRUN
from engine.training import loop, setup
from engine.training.group import Group

EXACT = {"dropout": 0.0, "dtype": "float32", "epochs": 3, "dim": 16}
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "sasrec": ("sasrec", {"batch_size": 16}),
    "bert4rec": ("bert4rec", {"batch_size": 16, "last_mask_share": 0.2}),
    "xlstm": ("xlstm", {"batch_size": 16}),
    "odd": ("sasrec", {"batch_size": 13, "ema": 0.9}),
    "sampled": ("sasrec", {"batch_size": 16, "loss": "sampled", "negatives": 8}),
    "lone": ("bert4rec", {"batch_size": 0}),
    "lone-causal": ("xlstm", {"batch_size": 0}),
    "own": ("sasrec", {"batch_size": 16, "ema": 0.9}),
}
"""Batches of 0 stand for such as leave one window over at an epoch's end."""

RELATIVE = 1e-4
"""Float32 sums in another order, over some thirty updates."""


def spec_of(catalogue: Catalogue, name: str) -> RunSpec:
    model, overrides = CASES[name]
    chosen = EXACT | overrides
    lone = not chosen["batch_size"]
    spec = catalogue.run_spec(
        model,
        "synthetic",
        12,
        1,
        overrides=chosen | {"batch_size": 16 if lone else chosen["batch_size"]},
    )
    source = spec.source.model_dump()
    source["users"], source["items"], source["interactions"] = 60, 40, 1200
    source["synthetic"] |= {"min_length": 5, "max_length": 40}
    if name == "own":
        spec = with_model(spec, OWN)
    content = spec.model_dump() | {"source": source}
    if lone:
        content["training"]["batch_size"] = leaves_one(windows(RunSpec.model_validate(content)))
    return RunSpec.model_validate(content)


def windows(spec: RunSpec) -> int:
    split = split_data(load_interactions(spec.source), spec.source)
    histories = setup.training_histories(split, torch.device("cpu"))
    return len(loop.epoch_windows(spec, 1, known_objective(spec), histories))


def leaves_one(count: int) -> int:
    return next(size for size in range(8, count) if count % size == 1)


@pytest.fixture(scope="module")
def alone(catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What one process comes to, by case."""
    folder = tmp_path_factory.mktemp("alone")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
        found = {name: trained(spec_of(catalogue, name), folder, name) for name in CASES}
    return found | {"folder": folder}


@pytest.fixture(scope="module")
def shared(
    catalogue: Catalogue, alone: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """What two come to; `resumed` goes on from one's checkpoint after the first epoch."""
    folder = tmp_path_factory.mktemp("shared")
    cases = {
        name: {"spec": spec_of(catalogue, name).model_dump(mode="json"), "resume": None}
        for name in CASES
    }
    checkpoint = alone["folder"] / "bert4rec-1.pt"
    cases["resumed"] = cases["bert4rec"] | {"resume": str(checkpoint)}
    (folder / "cases.json").write_text(json.dumps(cases))
    store = dist.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    pair = [
        CONTEXT.Process(target=train_cases, args=(folder, rank, 2, store.port), daemon=True)
        for rank in range(2)
    ]
    for process in pair:
        process.start()
    for process in pair:
        process.join()
    assert [process.exitcode for process in pair] == [0, 0]
    found = {name: torch.load(folder / f"{name}.pt", weights_only=True) for name in cases}
    return found | {"folder": folder}


def test_processor_time_is_that_of_all_processes(shared: dict[str, Any]) -> None:
    for epoch in shared[BUSY]["epochs"]:
        assert epoch["cpu_seconds"] >= BUSY_SECONDS * epoch["batches"]


def assert_equal(one: dict[str, Any], two: dict[str, Any]) -> None:
    assert len(one["steps"]) == len(two["steps"])
    for mine, theirs in zip(one["steps"], two["steps"], strict=True):
        assert theirs == pytest.approx(mine, rel=RELATIVE)
    for mine, theirs in zip(one["epochs"], two["epochs"], strict=True):
        for name in ("targets", "batches", "step", "best_epoch"):
            assert theirs[name] == mine[name]
        assert theirs["loss"] == pytest.approx(mine["loss"], rel=RELATIVE)
        assert theirs["metrics"] == pytest.approx(mine["metrics"], abs=0.02)  # a user's rank
    assert one["best"] == two["best"]
    # Adam makes whole steps of a gradient that is nothing but rounding, as of the keys' biases.
    apart = torch.cat([(two["weights"][name] - one["weights"][name]).abs().flatten()
                       for name in one["weights"]])  # fmt: skip
    assert apart.max() < 2e-3
    assert (apart > 1e-4).double().mean() < 0.01
    assert (one["ranks"] != two["ranks"]).double().mean() < 0.02


# One write a line: torchrun's processes are unbuffered and share their output.
SHOW = "import os; os.write(1, b'%(RANK)s %(WORLD_SIZE)s\\n' % os.environb)"


def test_torchrun_tells_each_process_its_rank(tmp_path: Path) -> None:
    script = tmp_path / "show.py"
    script.write_text(SHOW)
    command = [*TORCHRUN, "2", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert sorted(done.stdout.splitlines()) == ["0 2", "1 2"], done.stderr


@pytest.mark.parametrize("name", CASES)
def test_two_processes_come_to_what_one_comes_to(alone, shared, name: str) -> None:
    assert_equal(alone[name], shared[name])


def test_a_last_batch_has_fewer_windows_than_processes(catalogue: Catalogue) -> None:
    for name in ("lone", "lone-causal"):
        spec = spec_of(catalogue, name)
        assert windows(spec) % spec.training.batch_size == 1


def test_one_run_of_two_processes_goes_on_from_one_of_one(alone, shared) -> None:
    whole = alone["bert4rec"]
    first = whole["epochs"][0]["step"]
    rest = whole | {"steps": whole["steps"][first:], "epochs": whole["epochs"][1:]}
    assert_equal(rest, shared["resumed"])


def test_one_process_goes_on_from_a_run_of_two(catalogue, alone, shared, tmp_path: Path) -> None:
    whole = alone["odd"]
    resumed = trained(spec_of(catalogue, "odd"), tmp_path, "odd", shared["folder"] / "odd-2.pt")
    first = whole["epochs"][1]["step"]
    rest = whole | {"steps": whole["steps"][first:], "epochs": whole["epochs"][2:]}
    assert_equal(rest, resumed)


@pytest.mark.parametrize("data", ["aa", "ab"])
def test_processes_that_read_different_data_do_not_train_together(data: str) -> None:
    store = dist.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    pair = [
        CONTEXT.Process(target=compare_data, args=(rank, store.port, data[rank]), daemon=True)
        for rank in range(2)
    ]
    for process in pair:
        process.start()
    for process in pair:
        process.join()
    assert [process.exitcode for process in pair] == ([0, 0] if data == "aa" else [3, 3])


@pytest.mark.parametrize(("rows", "size"), [(5, 2), (1, 3), (6, 3), (128, 4)])
def test_shards_are_of_one_size_and_make_up_the_batch(rows: int, size: int) -> None:
    batch = torch.arange(1, rows + 1)[:, None].expand(rows, 4)
    shards = [Group(rank, size).shard(batch) for rank in range(size)]
    assert {len(shard) for shard in shards} == {Group(0, size).shard_size(rows)}
    together = torch.cat(shards)[:, 0]
    assert sorted(together[together > 0].tolist()) == list(range(1, rows + 1))


@pytest.mark.parametrize(("count", "size"), [(5, 2), (1, 3), (6, 3), (0, 2)])
def test_spans_follow_each_other(count: int, size: int) -> None:
    spans = [Group(rank, size).span(count) for rank in range(size)]
    assert [number for first, last in spans for number in range(first, last)] == list(range(count))


def test_dropout_differs_between_processes_and_what_all_draw_does_not() -> None:
    drawn, own = [], []
    for rank in range(2):
        group = Group(rank, 2, torch.Generator())
        group.seed(7)
        own.append(torch.rand(8))
        drawn.append(torch.rand(8, generator=group.generator))
    assert torch.equal(*drawn)
    assert not torch.equal(*own)
    torch.manual_seed(7)
    assert torch.equal(own[0], torch.rand(8))
