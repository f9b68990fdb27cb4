"""A suite of nine cells over two nodes, undisturbed and with daemons and nodes that die: nothing is
lost, nothing is doubled, and the figures are those of the local launcher."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import Any

import pytest
from cluster import Cluster
from lab import Lab, small_spec

from engine.spec import RunSpec

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

EPOCHS = 50
SUITE_SECONDS = 400.0
Figures = dict[tuple[str, int], list[dict[str, Any]]]
"""Epochs by model and length."""

expected: Figures = {}
"""What the local launcher comes to, worked out once."""


def cells() -> list[RunSpec]:
    return [
        small_spec(7, model, length, epochs=EPOCHS)
        for model in ("sasrec", "bert4rec", "xlstm")
        for length in (8, 10, 12)
    ]


def figures(lab: Lab, runs: list[str]) -> Figures:
    lab.wait_done(*runs, seconds=SUITE_SECONDS)
    return {(lab.run(run).model, lab.run(run).length): lab.epochs(run) for run in runs}


def locally(lab: Lab) -> Figures:
    if not expected:
        expected.update(figures(lab, lab.add(*cells(), launcher=None)))
    return expected


def on_node(lab: Lab, runs: list[str], node: str) -> list[str]:
    jobs = lab.jobs()
    return [run for run in runs if run in jobs and jobs[run].node == node]


def test_a_suite_over_two_nodes_comes_to_the_local_figures(lab: Lab) -> None:
    reference = locally(lab)
    lab.profile("wide", memory=3_000, jobs=9)
    runs = lab.add(*cells(), launcher="wide")
    nodes: set[str] = set()

    def seen() -> bool:
        nodes.update(filter(None, (job.node for job in lab.jobs().values())))
        return all(lab.run(run).state == "done" for run in runs)

    lab.wait(seen, "the suite's end", SUITE_SECONDS)
    assert nodes == {"n1", "n2"}
    assert figures(lab, runs) == reference
    assert all(len(lab.attempts(run)) == 1 for run in runs)


def test_a_suite_outlives_the_controller_and_a_node(lab: Lab, cluster: Cluster) -> None:
    reference = locally(lab)
    lab.profile("wide", memory=3_000, jobs=9)
    runs = lab.add(*cells(), launcher="wide")
    lab.wait(lambda: any(lab.lines(run, 1, "checkpoint") for run in on_node(lab, runs, "n1")), "n1")

    victims = on_node(lab, runs, "n1")
    cluster.kill("n1")
    for run in victims:
        for start in lab.lines(run, 1, "start"):
            with suppress(ProcessLookupError):
                os.kill(start.fields["pid"], signal.SIGKILL)
    cluster.kill("slurmctld")
    lab.wait(lambda: any(job.job_stale for job in lab.jobs().values()), "it to be noticed")
    assert all(lab.run(run).state in ("queued", "running", "done") for run in runs)
    cluster.start_controller()
    lab.wait(lambda: not any(job.job_stale for job in lab.jobs().values()), "its answer")

    assert figures(lab, runs) == reference
    assert victims
    assert {lab.run(run).attempt for run in runs} <= {1, 2}
    retried = [run for run in runs if lab.run(run).attempt == 2]
    assert retried
    assert set(retried) <= set(victims)


def test_a_worker_outlives_the_daemon_of_its_node(lab: Lab, cluster: Cluster) -> None:
    """Slurm gives the job up; its worker goes on, and nothing is doubled."""
    (run,) = lab.add(small_spec(1, epochs=100_000))
    lab.wait(lambda: lab.lines(run, 1, "epoch"), "an epoch")
    lab.wait(lambda: lab.job(run).node, "its node")
    cluster.kill(str(lab.job(run).node))
    lab.wait(lambda: lab.job(run).job_state == "NODE_FAIL", "Slurm to give it up")
    epochs = len(lab.lines(run, 1, "epoch"))
    lab.wait(lambda: len(lab.lines(run, 1, "epoch")) > epochs + 20, "it to go on")
    assert lab.run(run).state == "running"
    assert not lab.folder(run).journal(2).exists()
    os.kill(lab.lines(run, 1, "start")[0].fields["pid"], signal.SIGTERM)
    lab.wait(lambda: lab.lines(run, 2, "epoch"), "the next attempt, on the other node")


def test_an_attempt_ends_itself_once_a_newer_one_was_submitted(lab: Lab) -> None:
    (run,) = lab.add(small_spec(1, epochs=100_000))
    lab.wait(lambda: lab.lines(run, 1, "epoch"), "an epoch")
    lab.kill_supervisor()
    lab.folder(run).job(2).write_text("{}")
    lab.wait(lambda: lab.lines(run, 1, "end"), "its end")
    assert lab.lines(run, 1, "end")[0].fields["cause"] == "superseded"
    assert not lab.folder(run).test_ranks.exists()
