"""The modules have exactly the parameters that the closed forms state."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import spec
from engine.config import load_catalogue
from engine.models.registry import build
from engine.spec.sizes import count, parameter_count

KNOWN = {
    ("sasrec", "ml-100k"): (270_291, 271_891, 273_491),
    ("sasrec", "ml-1m"): (1_355_643, 1_358_843, 1_362_043),
    ("sasrec", "ml-10m"): (8_649_654, 8_656_054, 8_662_454),
    ("bert4rec", "ml-100k"): (274_835, 276_435, 278_035),
    ("bert4rec", "ml-1m"): (1_372_923, 1_376_123, 1_379_323),
    ("bert4rec", "ml-10m"): (8_716_982, 8_723_382, 8_729_782),
    ("xlstm", "ml-100k"): (269_188, 269_188, 269_188),
    ("xlstm", "ml-1m"): (1_376_904, 1_376_904, 1_376_904),
    ("xlstm", "ml-10m"): (8_698_176, 8_698_176, 8_698_176),
}
CELLS = [
    (model, dataset, length, parameters)
    for (model, dataset), row in KNOWN.items()
    for length, parameters in zip((50, 75, 100), row, strict=True)
]


def parameters_of(architecture: spec.Architecture, items: int, length: int) -> int:
    with torch.device("meta"):
        model = build(architecture, items, length)
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.fixture(scope="module")
def catalogue():
    return load_catalogue()


@pytest.mark.parametrize(("model", "dataset", "length", "parameters"), CELLS)
def test_reference_cells(catalogue, model: str, dataset: str, length: int, parameters: int) -> None:
    run = catalogue.run_spec(model, dataset, length, 1)
    assert parameters_of(run.architecture, run.source.items, length) == parameters
    assert parameter_count(run) == parameters


sizes = {"heads": st.integers(1, 4), "layers": st.integers(1, 3)}


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from([spec.SASRec, spec.BERT4Rec]),
    per_head=st.integers(1, 24),
    norm=st.sampled_from(["pre", "post"]),
    final_norm=st.booleans(),
    positions=st.sampled_from(["learned", "alibi"]),
    tied=st.booleans(),
    items=st.integers(1, 500),
    length=st.integers(2, 60),
    **sizes,
)
def test_other_transformer_sizes(kind, per_head, items, length, heads, **others) -> None:
    architecture = kind(dim=heads * per_head, heads=heads, **others)
    assert parameters_of(architecture, items, length) == count(architecture, items, length)


@settings(max_examples=40, deadline=None)
@given(per_head=st.integers(1, 24), items=st.integers(1, 500), length=st.integers(2, 60), **sizes)
def test_other_xlstm_sizes(per_head, items, length, heads, layers) -> None:
    architecture = spec.XLSTM(dim=2 * heads * per_head, heads=heads, layers=layers)
    assert parameters_of(architecture, items, length) == count(architecture, items, length)
