"""A Slurm of two nodes for the whole session, and labs whose runs go to it."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from cluster import NODES, Cluster, missing
from lab import Lab

from engine.store.location import store_location

PORTS = 10
"""That one cluster may take."""


@pytest.fixture(scope="session")
def slurm() -> Iterator[Cluster]:
    if why := missing():
        pytest.skip(why)
    # Paths of sockets are short, and jobs are owned by root, who may read it.
    root = Path(tempfile.mkdtemp(prefix="slurm-"))
    cluster = Cluster(root, _free_ports())
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(root, ignore_errors=True)


@pytest.fixture
def cluster(slurm: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """The cluster, where commands find it, whole again after the test."""
    monkeypatch.setenv("SLURM_CONF", str(slurm.conf))
    yield slurm
    slurm.repair()


@pytest.fixture
def lab(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """A store of its own, with a supervisor started by whoever queues."""
    monkeypatch.setenv("SEQBENCH_CONFIG", str(tmp_path / "configs"))
    (tmp_path / "configs" / "launchers").mkdir(parents=True)
    # As many threads here as there, without which sums come out otherwise in the last digit.
    slots = f"slots: {{cpu: {len(os.sched_getaffinity(0))}}}\n"
    (tmp_path / "configs" / "settings.yaml").write_text(slots)
    found = Lab(store_location(tmp_path / "lab" / "runs.db"), tmp_path / "configs")
    found.profile("low")
    yield found
    found.end(cluster)


def _free_ports() -> int:
    """The first of some ports that nobody listens at; other sessions' clusters may run here."""
    for first in range(17000 + os.getpid() % 100 * PORTS, 20000, PORTS):
        free = True
        for port in range(first, first + len(NODES) + 1):
            with closing(socket.socket()) as probe:
                try:
                    probe.bind(("", port))
                except OSError:
                    free = False
        if free:
            return first
    raise AssertionError("no port is free")
