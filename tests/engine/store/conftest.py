"""A store of its own for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from engine.config import Catalogue, load_catalogue
from engine.runfolder import RunFolder
from engine.spec import RunSpec
from engine.store.connect import connect_writer
from engine.store.database import StoreConnection
from engine.store.intake.folders import save_unsaved
from engine.store.location import StoreLocation, store_location
from engine.store.requests import enqueue


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.fixture
def make_spec(catalogue: Catalogue) -> Callable[..., RunSpec]:
    def make(model: str = "sasrec", length: int = 50, seed: int = 1, **overrides: Any) -> RunSpec:
        return catalogue.run_spec(model, "synthetic", length, seed, overrides=overrides)

    return make


@pytest.fixture
def location(tmp_path: Path) -> StoreLocation:
    return store_location(tmp_path / "lab" / "runs.db")


@pytest.fixture
def writer(location: StoreLocation) -> Iterator[StoreConnection]:
    with closing(connect_writer(location)) as connection:
        yield connection


@pytest.fixture
def add_run(
    location: StoreLocation, writer: StoreConnection, make_spec: Callable[..., RunSpec]
) -> Callable[..., RunFolder]:
    """Enqueue a run and make its folder, as a supervisor would."""

    def add(spec: RunSpec | None = None, **settings: Any) -> RunFolder:
        run = enqueue(location, [spec or make_spec(**settings)])[0]
        save_unsaved(writer, location)
        return location.folder(run)

    return add
