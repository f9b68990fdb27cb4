"""Apps over real stores: an absent one, an empty one, and one with runs in every state."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterator
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

import pytest
from held import worked_on
from live_runs import LiveStore, make_busy
from rest import let_pilots_wait_for_rest
from sizes import compare_sizes
from syrupy.assertion import SnapshotAssertion

from engine.store.location import StoreLocation
from tui.launch import cluster as launch_place
from tui.launch.costs import measuring


@pytest.fixture(scope="session", autouse=True)
def quick_apps() -> Iterator[None]:
    """Pilots wait for nothing but their app, and all that it begins with begins at once."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr("tui.app.DEVICE_AFTER", 0.01)
        let_pilots_wait_for_rest(monkeypatch)
        yield


@pytest.fixture
def no_optuna(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be where Optuna isn't installed."""
    find = PathFinder.find_spec

    def without(name: str, *rest: Any) -> Any:
        return None if name == "optuna" else find(name, *rest)

    monkeypatch.delitem(sys.modules, "optuna", raising=False)
    monkeypatch.setattr(PathFinder, "find_spec", without)


@pytest.fixture(autouse=True)
def held_queue(tmp_path: Path) -> Iterator[None]:
    """Hold the supervisor's lock of a store in ``tmp_path``: an app that opens it, or launches
    runs, finds it worked on, and no training outlives the test."""
    with worked_on(StoreLocation(tmp_path / "runs.db")):
        yield


@pytest.fixture(autouse=True)
def no_measuring(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dialogs start no training of their own, but in tests that want it (``measures``)."""
    if "measures" not in request.fixturenames:
        monkeypatch.setattr(measuring, "MOST_MEASURED", 0)


@pytest.fixture(autouse=True)
def no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether or not Slurm is installed here, nobody is asked where runs go."""
    monkeypatch.setattr(launch_place, "on_cluster", lambda: False)


@pytest.fixture
def snap_sizes(snapshot: SnapshotAssertion) -> Callable[..., None]:
    """Compare one app's pictures in every size with those stored; see `compare_sizes`."""

    def compare(*arguments: Any, **named: Any) -> None:
        asyncio.run(compare_sizes(snapshot, *arguments, **named))

    return compare


@pytest.fixture
def quick_line() -> None:
    """Apps on a real terminal draw everything, though a machine that is busy with other tests may
    look like a slow line, and the header would say so."""
    settings = Path(os.environ["XDG_CONFIG_HOME"]) / "seqbench/terminal.yaml"
    settings.parent.mkdir(parents=True)
    settings.write_text("low-bandwidth: false\n")


@pytest.fixture
def measures() -> None:
    """What a run costs is measured in the dialog."""


@pytest.fixture
def absent_store(tmp_path: Path) -> StoreLocation:
    """Where nobody ran anything yet."""
    return StoreLocation(tmp_path / "runs.db")


@pytest.fixture
def empty_store(tmp_path: Path) -> LiveStore:
    """A store to put runs into."""
    return LiveStore(tmp_path)


@pytest.fixture
def busy_store(tmp_path: Path) -> LiveStore:
    """Runs of the three models in the states that a working store has."""
    store = LiveStore(tmp_path)
    make_busy(store)
    return store
