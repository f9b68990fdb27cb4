"""A resident worker that trains several runs at once: each with its own figures, log and end."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from resident_process import (
    OFTEN,
    OWN_MODEL,
    ended,
    figures,
    hand_over,
    lines,
    make_run,
    small_spec,
    wait_for,
    wait_for_end,
)
from worker_process import is_stopped

from engine.inbox import WorkerFolder
from engine.journal import CROWDED

ENDLESS = {"epochs": 100_000, "patience": 100_000, "dim": 16}
AT_ONCE = ("--at-once", "8")
Reside = Callable[..., BaseProcess]


@pytest.mark.slow
def test_runs_beside_each_other_have_the_figures_that_they_have_alone(
    tmp_path: Path, worker: WorkerFolder, start: Reside, reside: Reside
) -> None:
    """Four at once; an endless one keeps all of them in company."""
    specs = [
        small_spec("sasrec", epochs=3, dim=16),
        small_spec("sasrec", seed=8, epochs=3, dim=16),
        small_spec("bert4rec", epochs=2, dim=16),
        small_spec("ease"),
    ]
    alone = [make_run(tmp_path / "alone", f"run-{n}", spec) for n, spec in enumerate(specs)]
    inside = [make_run(tmp_path, f"run-{n}", spec) for n, spec in enumerate(specs)]
    for run in alone:
        start(run, constants=OFTEN).join()
    endless = make_run(tmp_path, "endless", small_spec(**ENDLESS))
    hand_over(worker, endless)
    process = reside(*AT_ONCE, constants=OFTEN)
    wait_for(lambda: lines(endless, "epoch"), process, "an epoch")
    hand_over(worker, *inside)
    wait_for(lambda: len(worker.assignments()) == 1, process, "the ends of the others")
    endless.cancel.touch()
    wait_for_end(process, worker)

    assert ended(endless) == ("cancelled", "cancelled")
    for one, other in zip(alone, inside, strict=True):
        assert ended(other)[0] == "done", other.log.read_text()
        assert figures(other) == figures(one)
        assert all(line.fields["beside"] >= 1 for line in lines(other, "epoch"))
        assert {line.fields["cpu_seconds"] for line in lines(other, "epoch")} == {None}
        assert {line.fields["process_memory_mib"] for line in lines(other, "telemetry")} == {None}
        assert {line.fields["beside"] for line in lines(one, "epoch")} == {0}
    assert max(line.fields["beside"] for line in lines(endless, "epoch")) >= 2
    first, second = (lines(run, "end")[0].fields["users_per_second_1"] for run in inside[:2])
    assert (first is None) != (second is None), "one seed of a cell has its speed measured"


def test_one_fails_or_is_cancelled_and_the_others_go_on(
    tmp_path: Path, worker: WorkerFolder, reside: Reside
) -> None:
    """Each of them writes to its own log, from its thread and those that it starts."""
    spec = small_spec(**ENDLESS)
    words = "threading.Thread(target=print, args=(NAME,)).start()\nprint(NAME, file=sys.stderr)\n"
    words = "import os, threading\nNAME = os.path.basename(os.path.dirname(__file__))\n" + words
    talking = OWN_MODEL.replace("MODEL =", f"{words}MODEL =")
    stumbling = "assert NAME != 'failing'; states ="
    fails = talking.replace("states =", stumbling, 1)
    runs = [make_run(tmp_path, name, spec, fails) for name in ("failing", "cancelled", "going")]
    hand_over(worker, *runs)
    process = reside(*AT_ONCE)
    failing, cancelled, going = runs
    wait_for(lambda: lines(failing, "end"), process, "the failure")
    wait_for(lambda: lines(cancelled, "epoch"), process, "an epoch")
    cancelled.cancel.touch()
    wait_for(lambda: lines(cancelled, "end"), process, "its end")
    epochs = len(lines(going, "epoch"))
    wait_for(lambda: len(lines(going, "epoch")) > epochs + 1, process, "further epochs")
    os.kill(process.pid or 0, signal.SIGTERM)
    wait_for_end(process, worker)
    assert ended(failing) == ("failed", "error")
    assert ended(cancelled) == ("cancelled", "cancelled")
    assert ended(going) == ("preempted", "preempted")
    for run in runs:
        assert run.log.read_text().splitlines()[:2] == [run.run_id, run.run_id]
    assert worker.log.read_text() == ""


def test_memory_that_runs_out_beside_others_is_not_the_runs_failure(
    tmp_path: Path, worker: WorkerFolder, reside: Reside
) -> None:
    """It is to be tried alone, where the same is a failure."""
    name = "import os\nNAME = os.path.basename(os.path.dirname(__file__))\n"
    hungry = "if NAME == 'hungry':\n            raise MemoryError\n        states ="
    code = OWN_MODEL.replace("MODEL =", f"{name}MODEL =").replace("states =", hungry, 1)
    going, run = (make_run(tmp_path, name, small_spec(**ENDLESS), code) for name in
                  ("going", "hungry"))  # fmt: skip
    hand_over(worker, going)
    process = reside(*AT_ONCE)
    wait_for(lambda: lines(going, "epoch"), process, "an epoch")
    hand_over(worker, run)
    wait_for(lambda: lines(run, "end"), process, "the end of memory")
    assert ended(run) == ("preempted", CROWDED)
    going.cancel.touch()
    wait_for_end(process, worker)
    hand_over(worker, run, attempt=2)
    wait_for_end(reside(*AT_ONCE), worker)
    assert ended(run, 2) == ("failed", "out-of-memory")


def test_runs_of_other_code_wait_until_nothing_else_is_trained(
    tmp_path: Path, worker: WorkerFolder, reside: Reside
) -> None:
    endless = make_run(tmp_path, "endless", small_spec(**ENDLESS))
    own = make_run(tmp_path, "own", small_spec(epochs=1), OWN_MODEL)
    after = make_run(tmp_path, "after", small_spec(epochs=1, dim=16))
    hand_over(worker, endless, own, after)
    process = reside(*AT_ONCE)
    wait_for(lambda: len(lines(endless, "epoch")) > 2, process, "epochs")
    assert not own.journals()
    assert not after.journals(), "it isn't preferred to the one before it"
    endless.cancel.touch()
    wait_for_end(process, worker)
    starts = [lines(run, "start")[0] for run in (endless, own, after)]
    assert {each.fields["pid"] for each in starts} == {process.pid}
    assert [ended(run)[0] for run in (endless, own, after)] == ["cancelled", "done", "done"]
    assert lines(own, "end")[0].t <= starts[2].t


@pytest.mark.parametrize("count", [4])
def test_a_process_that_dies_under_several_runs_leaves_them_to_be_resumed(
    tmp_path: Path, worker: WorkerFolder, start: Reside, reside: Reside, count: int
) -> None:
    """Nothing is lost or doubled, and the figures are those of an undisturbed execution."""
    models = ("sasrec", "bert4rec", "xlstm", "gru4rec")
    epochs = {"epochs": 4, "patience": 4, "dim": 16}
    specs = [small_spec(models[n], seed=n, **epochs) for n in range(count)]
    alone = [make_run(tmp_path / "alone", f"run-{n}", spec) for n, spec in enumerate(specs)]
    inside = [make_run(tmp_path, f"run-{n}", spec) for n, spec in enumerate(specs)]
    for run in alone:
        start(run, constants=OFTEN).join()
    hand_over(worker, *inside)
    # It stops itself where one of them writes its third epoch.
    process = reside(*AT_ONCE, constants=OFTEN, halt=("epoch", 6))
    wait_for(lambda: is_stopped(process), process, "it to stop")
    process.kill()
    process.join()
    assert len(worker.assignments()) == count
    unfinished = [run for run in inside if not lines(run, "end")]
    assert unfinished
    for run in inside:
        worker.take_back(run.run_id, 1)
    hand_over(worker, *unfinished, attempt=2)
    wait_for_end(reside(*AT_ONCE, constants=OFTEN), worker)
    for one, other in zip(alone, inside, strict=True):
        assert ended(other, other.newest_attempt())[0] == "done"
        assert figures(other) == figures(one)
