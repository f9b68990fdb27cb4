"""Small real runs: a short synthetic source and tiny models."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.config import Catalogue, load_catalogue
from engine.spec import RunSpec

MakeSpec = Callable[..., RunSpec]


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.fixture
def tiny_spec(catalogue: Catalogue) -> MakeSpec:
    """A run of a second or two: `tiny_spec("xlstm", seed=3, epochs=2)`."""

    def make(model: str = "sasrec", seed: int = 1, **overrides: str | int | float) -> RunSpec:
        chosen = {"dim": 16, "epochs": 3, "batch_size": 16} | overrides
        spec = catalogue.run_spec(model, "synthetic", 12, seed, overrides=chosen)
        source = spec.source.model_dump()
        source["users"], source["items"], source["interactions"] = 60, 40, 1200
        source["synthetic"] |= {"min_length": 5, "max_length": 40}
        return RunSpec.model_validate(spec.model_dump() | {"source": source})

    return make
