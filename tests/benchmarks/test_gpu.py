"""What of the GPU's measurement can be seen without one."""

from __future__ import annotations

import runpy
import sys

import numpy as np
import pytest
import torch

from benchmarks.generated import Shape
from benchmarks.gpu.report import Part
from benchmarks.gpu.training import generated


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
