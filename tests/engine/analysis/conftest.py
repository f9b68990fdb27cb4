"""Runs of the reference cells in a real store."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from measured_runs import MeasuredStore, filled_store

from engine.store.connect import connect_reader


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> MeasuredStore:
    """A store that the tests of a module share and leave as it is."""
    store, _ = filled_store(tmp_path_factory.mktemp("measured"))
    return store


@pytest.fixture
def con(measured: MeasuredStore) -> Iterator[sqlite3.Connection]:
    with closing(connect_reader(measured.location)) as connection:
        yield connection
