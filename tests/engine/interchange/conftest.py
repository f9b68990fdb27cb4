"""A store with real runs of the reference cells, and ranks of their test users."""

from __future__ import annotations

from pathlib import Path

import pytest
from measured_runs import MeasuredStore, filled_store, give_ranks

from engine.store.location import StoreLocation


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> MeasuredStore:
    """A store that the tests of a module share and leave as it is."""
    store, _ = filled_store(tmp_path_factory.mktemp("lab"))
    give_ranks(store)
    return store


@pytest.fixture
def elsewhere(tmp_path: Path) -> StoreLocation:
    """Where there is no store yet."""
    return StoreLocation(tmp_path / "elsewhere" / "runs.db")
