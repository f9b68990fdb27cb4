"""The energy of a worker's training: from the kernel's counters through the journal to a column."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import closing
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from rapl import SPAN, Powercap
from test_worker import OFTEN, exit_status, lines, small_spec, wait_for
from worker_process import is_stopped

from engine.analysis.comparison import compare_rows
from engine.runfolder import RunFolder
from engine.specfile import save_spec
from engine.store.connect import connect_reader
from engine.store.intake.rebuild import rebuild
from engine.store.location import store_location

EVERY_STEP = OFTEN | {"engine.training.stepreport:REPORT_SECONDS": 0.0}


@pytest.mark.parametrize(("alone", "joules"), [(0.0, 3.0), (1e9, None)], ids=["alone", "not alone"])
def test_a_worker_tells_what_the_counters_grow_by_while_it_trains(
    start: Callable[..., BaseProcess], tmp_path: Path, alone: float, joules: float | None
) -> None:
    """It stops itself in its only epoch, so that all of them count between the two looks. Whatever
    else uses the processors of this machine, it has enough of them, or too little."""
    powercap = Powercap(tmp_path / "powercap")
    powercap.has("intel-rapl:0", "package-0", SPAN - 500_000)
    powercap.has("intel-rapl:0:0", "core", 1)
    location = store_location(tmp_path / "runs.db")
    folder = RunFolder(location.runs / "20260101-000000-sasrec-00001")
    folder.path.mkdir(parents=True)
    save_spec(folder, small_spec(epochs=1), created=1.0)
    worker = start(
        folder,
        halt=("step", 1),
        constants=EVERY_STEP
        | {
            "engine.machine.energy:POWERCAP": powercap.root,
            "engine.machine.energy:SHORT_SECONDS": 0.0,
            "engine.machine.energy:UNDISTURBED_SHARE": alone,
        },
    )
    wait_for(lambda: is_stopped(worker), worker)
    assert worker.pid is not None
    powercap.counts("intel-rapl:0", 2_500_000)
    powercap.counts("intel-rapl:0:0", 2_000_000)
    os.kill(worker.pid, signal.SIGCONT)
    assert exit_status(worker) == 0, folder.log.read_text()
    (epoch,) = lines(folder, "epoch")
    wanted = joules and pytest.approx(joules)
    assert (epoch.fields["gpu_joules"], epoch.fields["cpu_joules"]) == (None, wanted)
    rebuild(location)
    with closing(connect_reader(location)) as con:
        (row,) = compare_rows(con)
    assert [row[f"{name} (J)"] for name in ("EpochEnergy", "TotalEnergy")] == [wanted] * 2
