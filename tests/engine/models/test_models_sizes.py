"""The parameter counts that are told without torch are those of the modules."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.config import load_catalogue
from engine.models.builtin.xlstm import feed_forward_width
from engine.models.describe import facts
from engine.models.load import load_definition
from engine.spec import parameter_count

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


def parameters_of(model: str, own: dict[str, object], items: int, length: int) -> int:
    return load_definition(model).parameters(own, items, length)


@pytest.fixture(scope="module")
def catalogue():
    return load_catalogue()


@pytest.mark.parametrize(("model", "dataset", "length", "parameters"), CELLS)
def test_reference_cells(catalogue, model: str, dataset: str, length: int, parameters: int) -> None:
    run = catalogue.run_spec(model, dataset, length, 1)
    own = run.architecture.settings
    assert parameters_of(model, own, run.source.items, length) == parameters
    assert parameter_count(run) == parameters


sizes = {"heads": st.integers(1, 4), "layers": st.integers(1, 3)}


@settings(max_examples=20, deadline=None)
@given(
    model=st.sampled_from(["sasrec", "bert4rec"]),
    per_head=st.integers(1, 24),
    norm=st.sampled_from(["pre", "post"]),
    final_norm=st.booleans(),
    positions=st.sampled_from(["learned", "alibi"]),
    tied=st.booleans(),
    items=st.integers(1, 500),
    length=st.integers(2, 60),
    **sizes,
)
def test_other_transformer_sizes(model, per_head, items, length, heads, layers, **others) -> None:
    d = heads * per_head
    own = {"dim": d, "heads": heads, "layers": layers, **others}
    masked = model == "bert4rec"
    expected = layers * (4 * (d * d + d) + (8 * d * d + 5 * d) + 4 * d)
    expected += (items + 1 + masked) * d
    expected += (length + masked) * d if others["positions"] == "learned" else 0
    expected += 2 * d if others["final_norm"] else 0
    expected += 0 if others["tied"] else (items + 1) * d
    if masked:
        expected += 2 * d + (d * d + 3 * d) + items + 1
    elif not others["tied"]:
        expected += items + 1
    assert parameters_of(model, own, items, length) == expected
    agrees(model, own, items, length, expected)


@settings(max_examples=20, deadline=None)
@given(per_head=st.integers(1, 24), items=st.integers(1, 500), length=st.integers(2, 60), **sizes)
def test_other_xlstm_sizes(per_head, items, length, heads, layers) -> None:
    d = 2 * heads * per_head
    own = {"dim": d, "heads": heads, "layers": layers}
    mlstm = d * d + 2 * d * d + 2 * (d * heads + heads) + d + d * d
    block = mlstm + 3 * d * feed_forward_width(d) + 2 * d
    expected = 2 * (items + 1) * d + layers * block + d
    assert parameters_of("xlstm", own, items, length) == expected
    agrees("xlstm", own, items, length, expected)


def agrees(model: str, own: dict[str, object], items: int, length: int, expected: int) -> None:
    """The formula for all sizes gives the count too."""
    a, b, c, d = facts(load_definition(model), own)["formula"]
    assert a + b * items + c * length + d * items * length == expected
