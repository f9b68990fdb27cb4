"""Real processes, each ended with its test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from rehearsal import SECONDS, Look, end_processes, wait_for
from rehearsal_supervisor import WORKER, resident_launcher

from engine.config import Catalogue, Settings, Slots, load_catalogue
from engine.machine.slots import Slot
from engine.spec import RunSpec
from engine.store.connect import connect_writer
from engine.store.database import StoreConnection
from engine.store.location import StoreLocation, store_location
from engine.store.requests import enqueue
from engine.supervisor.launcher import LocalLauncher, Pool
from engine.supervisor.queue import Queue
from engine.supervisor.resident import ResidentLauncher


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.fixture
def add(location: StoreLocation, catalogue: Catalogue) -> Callable[..., list[str]]:
    """Enqueue rehearsals: ``add("quick", "hold")``."""

    def enqueue_rehearsals(*behaviours: str, epochs: int = 4) -> list[str]:
        specs: list[RunSpec] = []
        for seed, behaviour in enumerate(behaviours):
            spec = catalogue.run_spec("sasrec", "synthetic", 50, seed, overrides={"epochs": epochs})
            specs.append(spec.model_copy(update={"profile": behaviour}))
        return enqueue(location, specs)

    return enqueue_rehearsals


@pytest.fixture
def location(tmp_path: Path) -> Iterator[StoreLocation]:
    """A store whose workers and supervisors don't outlive the test."""
    found = store_location(tmp_path / "lab" / "runs.db")
    yield found
    end_processes(found)


@pytest.fixture
def writer(location: StoreLocation) -> Iterator[StoreConnection]:
    with closing(connect_writer(location)) as connection:
        yield connection


@pytest.fixture
def kind() -> str:
    """Whether runs have a process of their ``own``, or a ``resident`` worker trains them."""
    return "resident"


@pytest.fixture
def make_queue(location: StoreLocation, kind: str) -> Iterator[Callable[[], Queue]]:
    """Makes queues in this process with two slots, so that a test looks at each round. Each is to
    the ones before as a new supervisor: it knows nothing but what the store says."""
    launchers: list[LocalLauncher | ResidentLauncher] = []

    def make() -> Queue:
        slots = [Slot(f"cpu/{number}", "cpu", "CPU", 1) for number in range(2)]
        settings = Settings(slots=Slots(cpu=2), retries=2)
        launchers.append(resident_launcher() if kind == "resident" else LocalLauncher(WORKER))
        return Queue(location, settings, {None: Pool(launchers[-1], slots)}, cancel_seconds=SECONDS)

    yield make
    end_processes(location)
    for launcher in launchers:
        workers = launcher._workers if isinstance(launcher, ResidentLauncher) else {}
        for child in (*launcher._children.values(), *workers.values()):
            child.wait()


@pytest.fixture
def queue(make_queue: Callable[[], Queue]) -> Queue:
    return make_queue()


@pytest.fixture
def work(queue: Queue, writer: StoreConnection) -> Callable[..., None]:
    """Go round until something holds."""

    def rounds(condition: Callable[[], object], what: str, queue: Queue = queue) -> None:
        def round_then_look() -> object:
            queue.tick(writer)
            return condition()

        wait_for(round_then_look, what)

    return rounds


@pytest.fixture
def look(location: StoreLocation) -> Look:
    return Look(location)
