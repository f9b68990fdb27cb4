"""A worker that trains nothing: it keeps to everything that the supervisor sees of a real one.

The run's profile says how it behaves:

- ``quick``: ends by itself;
- ``hold``: in epoch 3 it waits for a file ``go`` in its folder;
- ``stubborn``: the same, deaf to SIGTERM;
- ``crash``: exits with 3 in epoch 2, without a last word;
- ``doomed``: holds, and then exits with 3; the next attempt needs another file ``go``;
- ``fail``: ends ``failed`` in epoch 2;
- ``full``: finds the disk full in epoch 2, unless a file ``go`` is in its folder;
- ``freeze``: its first attempt stops showing signs of life in epoch 3;
- ``driven``: each attempt ends ``preempted`` before its first epoch;
- ``yield``: its first attempt waits in epoch 3, and ends ``preempted`` if asked to stop.

A run of what a study chose gets the ranks that a test has put into ``ranks`` beside the runs.

Many are started, so it imports no more than it needs: the configuration is read as plain JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine.files.atomic import write_atomically
from engine.files.lock import take_lock
from engine.journal import FORMAT, NO_ROOM, JournalWriter
from engine.metrics import EPOCH_MEASURES
from engine.process import own_identity
from engine.runfolder import RunFolder
from engine.rungs import PAUSED, is_paused

STEPS = 4
LOCK_SECONDS = 1.0
"""As the real one has: whoever looks whether the lock is held takes it for a moment."""


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--attempt", type=int, required=True)
    parser.add_argument("--device", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--lock-seconds", type=float, default=LOCK_SECONDS)
    options = parser.parse_args()
    folder = RunFolder(options.folder)
    if take_lock(folder.lock, options.lock_seconds) is None:
        return 0
    if folder.newest_attempt() > options.attempt or folder.journal(options.attempt).exists():
        return 0
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopped.append(number))
    return rehearse(folder, options.attempt, options.device, options.threads, lambda: bool(stopped))


def rehearse(
    folder: RunFolder,
    attempt: int,
    device: str,
    threads: int,
    stop: Callable[[], bool],
    shared: Any = None,
) -> int:
    """Do as `engine.worker.attempt.run_attempt`, in which the two kinds of workers agree."""
    spec = json.loads(folder.spec.read_text())["spec"]
    profile, epochs = spec["profile"], spec["training"]["epochs"]
    sys.stdout.write(f"attempt {attempt} on {device}, {threads} threads\n")

    at: tuple[int, ...] = ()
    if (trial := spec.get("trial")) is not None:
        from engine.spec import Study  # which takes longer than all that other runs do

        at = Study.model_validate(trial["study"]).rungs(spec["model"])
    resumed = max((int(path.read_text()) for _, path in folder.checkpoints()), default=0)
    with JournalWriter(folder.journal(attempt)) as journal:
        journal.write(
            "start",
            format=FORMAT,
            run=folder.run_id,
            attempt=attempt,
            **asdict(own_identity()),
            host=os.uname().nodename,
            device="Rehearsal",
            device_kind=device,
            worker=shared and shared.worker,
            threads=int(os.environ["OMP_NUM_THREADS"]),
            epochs=epochs,
            steps_per_epoch=STEPS,
            parameters=1,
            resumed_epoch=resumed,
        )
        if profile == "driven":
            end(journal, "preempted", "preempted")
            return 0
        for epoch in range(resumed + 1, epochs + 1):
            for step in range(STEPS * (epoch - 1) + 1, STEPS * epoch + 1):
                journal.write("step", step=step, epoch=epoch, loss=1.0, grad_norm=1.0, lr=0.1)
                while waits(folder, profile, epoch, attempt) and not asked(stop, profile):
                    time.sleep(0.01)
                if asked(stop, profile):
                    cancelled = folder.cancel.exists()
                    end(journal, "cancelled" if cancelled else "preempted", "stopped")
                    return 0
            if epoch == 2 and profile == "crash":
                os._exit(3)
            if epoch == 3 and profile == "doomed":
                (folder.path / "go").unlink()
                os._exit(3)
            if epoch == 2 and profile == "full" and not (folder.path / "go").exists():
                return NO_ROOM
            if epoch == 3 and profile == "freeze" and attempt == 1:
                os.kill(os.getpid(), signal.SIGSTOP)
            if epoch == 2 and profile == "fail":
                end(journal, "failed", "error")
                return 1
            # What a study chose isn't still improving: its first epoch is the best one.
            worse = {"best_epoch": 1, "valid_ndcg": 1 / epoch} if spec.get("chosen_by") else {}
            journal.write("epoch", **figures(epoch) | worse)
            write_atomically(folder.checkpoint(attempt), str(epoch))
            journal.write("checkpoint", epoch=epoch, file="", sha256="")
            if is_paused(folder, epoch, at):
                end(journal, "preempted", PAUSED)
                return 0
        if (ranks := ranks_of(folder, spec)).exists():
            shutil.copy(ranks, folder.test_ranks)
        end(journal, "done", "completed")
    return 0


def ranks_of(folder: RunFolder, spec: dict[str, Any]) -> Path:
    """The ranks that a test gives a run of what a study chose, which nobody else has."""
    name = f"{spec['model']}-{spec['seed']}.npy" if spec.get("chosen_by") else "none"
    return folder.path.parents[1] / "ranks" / name


def asked(stop: Callable[[], bool], profile: str) -> bool:
    return profile != "stubborn" and stop()


def waits(folder: RunFolder, profile: str, epoch: int, attempt: int) -> bool:
    if epoch != 3 or (folder.path / "go").exists():
        return False
    return profile in ("hold", "stubborn", "doomed") or (profile == "yield" and attempt == 1)


def figures(epoch: int) -> dict[str, Any]:
    measures = {name: epoch + index / 100 for index, name in enumerate(EPOCH_MEASURES)}
    counts = {"epoch": epoch, "step": epoch * STEPS, "targets": 9, "batches": STEPS}
    return {**measures, **counts, "best_epoch": epoch}


def end(journal: JournalWriter, status: Any, cause: str) -> None:
    journal.write("end", status=status, cause=cause, message=f"It {status}.")


if __name__ == "__main__":
    sys.exit(main())
