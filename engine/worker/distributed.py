"""One attempt as several processes that ``torchrun`` started on one machine.

Rank 0 is the run: it alone writes the run's folder. When a process is gone, the others end.
"""

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
from engine.datasets.splitting.splits import data_checksum
from engine.errors import DataError, TrainingError, UserError
from engine.models.registry import definition_of
from engine.process import ProcessIdentity, is_alive, own_identity, parent_identity
from engine.runfolder import RunFolder
from engine.specfile import load_spec
from engine.training.group import SINGLE, Group, join
from engine.training.loop import Interrupted, train
from engine.training.recorder import EpochRecord, StepRecord
from engine.worker.chosen import chosen_before
from engine.worker.resume import checkpoint_of

WATCH_SECONDS = 0.3
"""Time between two looks at whether the other processes are alive."""

SETTLE_SECONDS = 3.0
"""Time that rank 0's training thread has to report a lost process itself, which it can't while it
waits for a GPU; then the watching thread reports it."""

GRACE_SECONDS = 10.0
"""Time that a rank which failed leaves rank 0 to meet the same error and to write it down."""


def own_device(kind: str, processes: int) -> torch.device:
    """Return the device that this process trains on.

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
def process_group(
    device: torch.device, processes: int, write_failure: Callable[[str, str], None]
) -> Iterator[Group]:
    """Join the other ranks, as rank 0, and watch over them.

    Args:
        write_failure: writes the cause and message of a failure. Called from the watching thread,
            just before the process ends, if another rank is gone while training waits for it.

    Raises:
        TrainingError: another rank is gone.
    """
    if processes == 1:
        yield SINGLE
        return
    group, ranks = _join(device)
    others, over = ranks[1:], threading.Event()
    _watch(others, lambda: _end_with_others(others, over, write_failure))
    try:
        yield group
    except torch.OutOfMemoryError:
        raise
    except (Interrupted, RuntimeError) as error:
        # When one process is gone, torchrun ends the others, which looks like a request to stop.
        wait = 0.0 if isinstance(error, Interrupted) else SETTLE_SECONDS / 2
        if lost := _lost(others, wait):
            raise TrainingError("killed", lost) from error
        raise
    finally:
        over.set()


def train_other_rank(folder: RunFolder, device_kind: str, threads: int, processes: int) -> Never:
    """Train as a rank other than 0, writing no file, and end when rank 0 does."""
    if threads:
        torch.set_num_threads(threads)
    try:
        group, ranks = _join(device := own_device(device_kind, processes))
        _watch(ranks[:1], lambda: os._exit(0))  # rank 0 has written how the run ended
        spec = load_spec(folder)
        interactions = load_interactions(spec.source)
        check_same_data(group, data_checksum(interactions, spec.source))
        checkpoint = group.broadcast(None)
        resume = checkpoint_of(folder.path / checkpoint, spec) if checkpoint else None
        train(
            spec,
            definition_of(spec, folder.code),
            interactions,
            device,
            _Silent(),
            resume=resume,
            group=group,
            chosen=chosen_before(folder, spec),
        )
        threading.Event().wait()
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        time.sleep(GRACE_SECONDS)
    except Exception:  # noqa: BLE001 -- stderr, the run's log, is the only place for it
        sys.stderr.write(traceback.format_exc(limit=-8))
        time.sleep(GRACE_SECONDS)
    os._exit(1)


def check_same_data(group: Group, checksum: str) -> None:
    """Check that all ranks have read the same data: each reads them for itself.

    Raises:
        DataError: they haven't.
    """
    if len(set(group.all_gather_object(checksum))) > 1:
        raise DataError(
            "The processes that were to train it together read different data: retry it once "
            "nothing writes to the data set's file."
        )


class _Silent:
    """A recorder that drops its records."""

    def steps(self, records: list[StepRecord]) -> None: ...

    def epoch(self, record: EpochRecord) -> None: ...


def _join(device: torch.device) -> tuple[Group, list[ProcessIdentity]]:
    """Join the process group; return it and the processes, by rank."""
    _watch([parent_identity()], lambda: os._exit(1))
    group = join(device)
    return group, group.all_gather_object(own_identity())


def _watch(processes: Sequence[ProcessIdentity], gone: Callable[[], None]) -> None:
    """Call ``gone``, from another thread, as soon as one of the processes has ended."""

    def look() -> None:
        while all(map(is_alive, processes)):
            time.sleep(WATCH_SECONDS)
        gone()

    threading.Thread(target=look, name="watch", daemon=True).start()


def _end_with_others(
    others: Sequence[ProcessIdentity],
    over: threading.Event,
    write_failure: Callable[[str, str], None],
) -> None:
    """End this process because another rank is gone, unless training ends by itself first."""
    if over.wait(SETTLE_SECONDS):
        return
    if lost := _lost(others, 0.0):
        write_failure("killed", lost)
    os._exit(1)


def _lost(others: Sequence[ProcessIdentity], seconds: float) -> str | None:
    """Return the sentence that reports the first of the other ranks that is gone or ends within
    ``seconds``; ``None`` if none does."""
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
