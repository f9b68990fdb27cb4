"""A checkpoint is whole or refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from engine.training.checkpoint import (
    Best,
    Checkpoint,
    CheckpointError,
    load_checkpoint,
    save_checkpoint,
)


@pytest.fixture
def checkpoint() -> Checkpoint:
    weight = torch.arange(6.0).reshape(2, 3)
    optimizer = torch.optim.AdamW([torch.nn.Parameter(weight.clone())])
    return Checkpoint(
        fingerprint="abc",
        epoch=3,
        step=30,
        model={"w": weight},
        average=None,
        optimizer=optimizer.state_dict(),
        best=Best(2, 0.25, {"valid_ndcg": 0.25}, {"w": weight * 2}),
    )


def test_what_is_saved_is_loaded(tmp_path: Path, checkpoint: Checkpoint) -> None:
    path = tmp_path / "checkpoint-1.pt"
    save_checkpoint(path, checkpoint)
    loaded = load_checkpoint(path, "abc")
    assert torch.equal(loaded.model["w"], checkpoint.model["w"])
    assert torch.equal(loaded.best.model["w"], checkpoint.best.model["w"])
    assert (loaded.epoch, loaded.step, loaded.best.score) == (3, 30, 0.25)
    assert loaded.optimizer == checkpoint.optimizer
    assert list(tmp_path.iterdir()) == [path], "nothing temporary is left"


@pytest.mark.parametrize("where", [0.0, 0.3, 0.6, 0.999])
def test_a_flipped_byte_is_found(tmp_path: Path, checkpoint: Checkpoint, where: float) -> None:
    path = tmp_path / "checkpoint-1.pt"
    save_checkpoint(path, checkpoint)
    data = bytearray(path.read_bytes())
    data[int(where * len(data))] ^= 0x40
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match="damaged"):
        load_checkpoint(path, "abc")


def test_a_cut_file_is_found(tmp_path: Path, checkpoint: Checkpoint) -> None:
    path = tmp_path / "checkpoint-1.pt"
    save_checkpoint(path, checkpoint)
    data = path.read_bytes()
    for length in range(0, len(data), 97):
        path.write_bytes(data[:length])
        with pytest.raises(CheckpointError, match="damaged"):
            load_checkpoint(path, "abc")


def test_another_configuration_is_refused(tmp_path: Path, checkpoint: Checkpoint) -> None:
    path = tmp_path / "checkpoint-1.pt"
    save_checkpoint(path, checkpoint)
    with pytest.raises(CheckpointError, match="another configuration"):
        load_checkpoint(path, "def")


def test_a_missing_file_is_an_error_of_its_kind(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="can't be read"):
        load_checkpoint(tmp_path / "none.pt", "abc")
