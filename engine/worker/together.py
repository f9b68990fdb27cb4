"""One attempt as several processes, started by ``torchrun`` on one machine: the first is the run,
and no process outlives the others."""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Never

import torch

from engine.datasets.load import load_interactions
from engine.errors import TrainingError, UserError
from engine.process import ProcessIdentity, is_alive, own_identity, parent_identity
from engine.runfolder import RunFolder
from engine.specfile import load_spec
from engine.training.checkpoint import load_checkpoint
from engine.training.group import ALONE, Group, join
from engine.training.loop import Interrupted, train
from engine.training.recorder import EpochRecord, StepRecord

WATCH_SECONDS = 0.3

SETTLE_SECONDS = 3.0
"""So long the training thread has to notice by itself that another process is gone; waiting for
a GPU it can't."""

GRACE_SECONDS = 10.0
"""A process that fails leaves the first one so long to meet the same error, and to say so."""


def own_device(kind: str, processes: int) -> torch.device:
    """The device that this process trains on.

    Raises:
        TrainingError: there are fewer GPUs than processes.
    """
    if kind == "cuda" and torch.cuda.device_count() < processes:
        found = torch.cuda.device_count()
        raise TrainingError(
            "device",
            "No GPU can be used here: check `seqbench doctor`."
            if found == 0
            else f"The run asks for {processes} GPUs and {found} can be used: check `seqbench "
            "doctor`, or lower gpus_per_run in settings.yaml.",
        )
    if kind != "cuda" or processes == 1:
        return torch.device(kind)
    device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
    torch.cuda.set_device(device)
    return device


@contextmanager
def together(
    device: torch.device, processes: int, last_word: Callable[[str, str], None]
) -> Iterator[Group]:
    """The group that the run's first process trains in.

    Args:
        last_word: writes cause and message of a failure; called on another thread, where
            another process is gone and the training thread waits for it. The process ends then.

    Raises:
        TrainingError: another process is gone.
    """
    if processes == 1:
        yield ALONE
        return
    group, everyone = _meet(device)
    others, over = everyone[1:], threading.Event()
    _watch(others, lambda: _end_for_them(others, over, last_word))
    try:
        yield group
    except torch.OutOfMemoryError:
        raise
    except (Interrupted, RuntimeError) as error:
        # torchrun ends all when one is gone, which looks like being asked to stop.
        wait = 0.0 if isinstance(error, Interrupted) else SETTLE_SECONDS / 2
        if lost := _lost(others, wait):
            raise TrainingError("killed", lost) from error
        raise
    finally:
        over.set()


def follow(folder: RunFolder, device_kind: str, threads: int, processes: int) -> Never:
    """Be another than the first: train along with it, silently, and end when it does."""
    if threads:
        torch.set_num_threads(threads)
    try:
        group, everyone = _meet(device := own_device(device_kind, processes))
        _watch(everyone[:1], lambda: os._exit(0))  # it has said all that there is to say
        spec = load_spec(folder)
        interactions = load_interactions(spec.source)
        checkpoint = group.told(None)
        resume = (
            load_checkpoint(folder.path / checkpoint, spec.fingerprint()) if checkpoint else None
        )
        train(spec, interactions, device, _Silent(), resume=resume, group=group)
        threading.Event().wait()
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        time.sleep(GRACE_SECONDS)
    except Exception:  # noqa: BLE001 -- the log is the only place to say it
        sys.stderr.write(traceback.format_exc(limit=-8))
        time.sleep(GRACE_SECONDS)
    os._exit(1)


class _Silent:
    def steps(self, records: list[StepRecord]) -> None: ...

    def epoch(self, record: EpochRecord) -> None: ...


def _meet(device: torch.device) -> tuple[Group, list[ProcessIdentity]]:
    """Join, and learn who the processes are, by rank."""
    _watch([parent_identity()], lambda: os._exit(1))
    group = join(device)
    return group, group.collected(own_identity())


def _watch(processes: Sequence[ProcessIdentity], gone: Callable[[], None]) -> None:
    """Call ``gone``, on another thread, once one of the processes is."""

    def look() -> None:
        while all(map(is_alive, processes)):
            time.sleep(WATCH_SECONDS)
        gone()

    threading.Thread(target=look, name="watch", daemon=True).start()


def _end_for_them(
    others: Sequence[ProcessIdentity],
    over: threading.Event,
    last_word: Callable[[str, str], None],
) -> None:
    if over.wait(SETTLE_SECONDS):
        return
    if lost := _lost(others, 0.0):
        last_word("killed", lost)
    os._exit(1)


def _lost(others: Sequence[ProcessIdentity], seconds: float) -> str | None:
    """What to say of the first of the others that is gone, or goes within so long."""
    deadline = time.monotonic() + seconds
    while True:
        for number, process in enumerate(others, start=2):
            if not is_alive(process):
                return (
                    f"Process {number} of the {len(others) + 1} that trained it together was "
                    "ended or failed; `seqbench logs` may say why."
                )
        if time.monotonic() >= deadline:
            return None
        time.sleep(0.05)
