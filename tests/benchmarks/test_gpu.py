"""What of the GPU's measurement can be seen without one."""

from __future__ import annotations

import runpy
import sys

import numpy as np
import pytest
import torch

from benchmarks.generated import Shape
from benchmarks.gpu import queue, spread, suite
from benchmarks.gpu.report import Part
from benchmarks.gpu.training import generated
from engine.errors import UserError


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmarks.gpu"])
    with pytest.raises(SystemExit) as left:
        runpy.run_module("benchmarks.gpu", run_name="__main__")
    assert left.value.code == (
        "No NVIDIA GPU that PyTorch can use: there is nothing to measure here."
    )
    assert capsys.readouterr() == ("", "")


def test_generated_data_has_the_size_that_was_asked_for() -> None:
    found = generated(Shape(500, 200, 30_000, ","))
    assert (found.num_users, found.num_items, len(found.items)) == (500, 200, 30_000)
    assert np.diff(found.offsets).min() >= 20
    counts = np.bincount(found.items, minlength=201)[1:]
    assert counts[0] > counts[100:].mean() * 5, "some items are far more popular than others"


def test_a_figure_that_is_not_told_is_no_zero() -> None:
    part = Part("Title", ["name", "a", "b"], [{"name": "x", "a": None, "b": 1234.5}], ["Note."])
    assert part.markdown().endswith("| x | n/a | 1,234 |\n\nNote.")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_the_queue_needs_as_many_gpus_as_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["queue", "--gpus", "1", "2"])
    with pytest.raises(UserError, match="There are 0 GPUs that PyTorch can use: name fewer"):
        queue.main()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_suite_is_executed_by_the_command_and_its_figures_are_compared() -> None:
    wanted = suite.Suite(("sasrec",), ("synthetic",), (20,), seeds=(1, 2))
    part = suite.measured([wanted], ("2", "2"), "cpu", ("epochs=1",))
    assert [(row["runs"], row["at once"], row["ended"]) for row in part.rows] == [
        (2, "2", "2 done"),
        (2, "2", "2 done"),
    ]
    assert [row["figures as alone"] for row in part.rows] == ["2 of 2"] * 2
    for row in part.rows:
        assert 0 < row["training and evaluation, s"] < row["wall, s"] * 2
        assert 0 < row["beyond them, s a run"] < row["wall, s"]


def test_the_suites_grow() -> None:
    found = suite.suites(("a", "b", "c"), ("small", "large"), (50, 75, 100))
    sizes = [
        len(each.seeds) * len(each.models) * len(each.datasets) * len(each.lengths)
        for each in found
    ]
    assert sizes == [9, 27, 54]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_processes_are_compared_with_one_and_one_of_them_killed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small = ["--models", "sasrec", "--dataset", "synthetic", "--length", "20", "--threads", "1"]
    epochs = ["--epochs", "2", "--resume-epochs", "30"]
    asked = ["spread", "parity", "resume", "--device", "cpu", *small, *epochs]
    monkeypatch.setattr(sys, "argv", asked)
    spread.main()
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in capsys.readouterr().out.splitlines()
        if line.startswith("| sasrec")
    ]
    assert [row[1] for row in rows] == ["2", "1, rounded", "2"]
    for apart in (*rows[0][3:], *rows[1][3:]):
        assert all(float(value) < 1e-4 for value in apart.split())
    assert rows[2][3] == "failed (killed)"
    assert float(rows[2][5]) < 1e-4
