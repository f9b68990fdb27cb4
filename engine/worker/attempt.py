"""One attempt at a run: training it, and writing to the journal how that ended."""

from __future__ import annotations

import errno
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from engine.datasets.confirm import confirm
from engine.datasets.load import open_data
from engine.datasets.splitting.splits import SplitData, data_checksum, run_split
from engine.errors import DataError, TrainingError, UserError
from engine.files.atomic import write_atomically
from engine.journal import CROWDED, NO_ROOM, EndStatus, JournalWriter
from engine.models.base import Model, TimedModel
from engine.models.registry import definition_of
from engine.results.users import with_several
from engine.runfolder import RunFolder
from engine.rungs import PAUSED, is_paused
from engine.spec import RunSpec
from engine.specfile import load_spec
from engine.training.checkpoint import Checkpoint, save_checkpoint
from engine.training.group import Group
from engine.training.lanes import ALONE, Lane
from engine.training.loop import Interrupted, Outcome, Paused, train
from engine.training.ranking.inference import MOST_HISTORIES, InferenceSpeed, inference_speed
from engine.training.ranking.lists import Recommended, recommended
from engine.training.setup import uses_bfloat16
from engine.worker.chosen import chosen_before
from engine.worker.distributed import check_same_data, own_device, process_group
from engine.worker.facts import log_bytes, start_facts
from engine.worker.fence import Fence
from engine.worker.recorder import JournalRecorder, TelemetryThread
from engine.worker.results import test_results
from engine.worker.resume import resumption
from engine.worker.shared import Shared, company_of, is_broken

RESERVE_BYTES = 65_536
"""Of the file that is deleted to make room for the journal's last line on a full disk."""

_NO_ROOM_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

BROKEN_STATUS = 70
"""Exit status of a process that can't use its GPU any more, while it trains several runs."""

KEPT_CHECKPOINTS = 2
"""Checkpoints kept of a run: the newest, and the one before in case the newest is damaged."""


@dataclass(frozen=True)
class Ending:
    """The fields of the journal's ``end``."""

    status: EndStatus
    cause: str
    message: str
    best_epoch: int | None = None
    epochs_trained: int | None = None
    trace: str | None = None
    users_per_second_1: float | None = None
    users_per_second_256: float | None = None
    speed_cpu_share: float | None = None
    results: Mapping[str, float] | None = None
    """By name, as in `engine.metrics.RESULT_OF`."""


class _CrowdedError(Exception):
    """Memory ran out beside other runs of the process."""


@dataclass(frozen=True)
class _Finished:
    """A run that was trained to its end."""

    outcome: Outcome
    speed: InferenceSpeed
    results: Mapping[str, float]


def run_attempt(
    folder: RunFolder,
    attempt: int,
    device_kind: str,
    threads: int,
    stop: Callable[[], bool],
    processes: int = 1,
    *,
    shared: Shared | None = None,
) -> int:
    """Train the run in ``folder`` from its newest whole checkpoint, as rank 0 if there are several
    processes; return the exit status, which is `NO_ROOM` if a full disk kept the journal from
    being written.

    Args:
        stop: asked before every update; ``True`` ends the attempt.
        shared: of the resident worker that trains it; ``None`` for a process of its own.
    """
    started = time.monotonic()
    if threads:
        torch.set_num_threads(threads)
    try:
        _remove_half_written(folder)
        with JournalWriter(folder.journal(attempt)) as journal:
            _reserve(folder)
            fence = Fence(folder, attempt)

            def write_end(ending: Ending) -> None:
                folder.reserve.unlink(missing_ok=True)
                if ending.trace:
                    sys.stderr.write(ending.trace)
                seconds = round(time.monotonic() - started, 3)
                told = {**asdict(ending), "seconds": seconds}
                journal.write("end", **told, log_bytes=log_bytes(folder))

            def train_it() -> _Finished:
                device = own_device(device_kind, processes)
                with process_group(
                    device, processes, lambda *why: write_end(Ending("failed", *why))
                ) as group:
                    return _in_lane(
                        lambda lane: _train(
                            folder, attempt, device, journal, stop, fence, group, shared, lane
                        ),
                        device,
                        shared,
                    )

            ending = _ending_of(train_it, folder, fence)
            write_end(ending)
    except OSError as error:
        if error.errno not in _NO_ROOM_ERRORS:
            raise
        with suppress(OSError):
            sys.stderr.write("The disk is full: not even the journal could be written.\n")
        return NO_ROOM
    return 1 if ending.status == "failed" else 0


def _remove_half_written(folder: RunFolder) -> None:
    """Remove what a killed worker left of checkpoints and results, as large as these are."""
    with suppress(OSError):
        for path in folder.half_written():
            path.unlink(missing_ok=True)


def _reserve(folder: RunFolder) -> None:
    with suppress(OSError):
        folder.reserve.write_bytes(os.urandom(RESERVE_BYTES))  # random: incompressible


def _ending_of(work: Callable[[], _Finished], folder: RunFolder, fence: Fence) -> Ending:
    """Do the work, and turn its outcome or exception into the journal's ``end``."""
    try:
        finished = work()
    except Paused:
        return Ending("preempted", PAUSED, "Paused until it is better than most other trials.")
    except Interrupted:
        if fence.passed():
            return Ending("preempted", "superseded", "A newer attempt has begun.")
        if folder.cancel.exists():
            return Ending("cancelled", "cancelled", "Cancelled.")
        return Ending("preempted", "preempted", "Stopped from outside; it will be resumed.")
    except TrainingError as error:
        return Ending("failed", error.cause, str(error))
    except DataError as error:
        return Ending("failed", "data", str(error))
    except UserError as error:
        return Ending("failed", "error", str(error))
    except _CrowdedError:
        message = "Memory ran out beside other runs; it is trained alone from now on."
        return Ending("preempted", CROWDED, message)
    except OSError as error:
        return _os_failure(error)
    except Exception as error:  # noqa: BLE001 -- every attempt must write its end
        if _is_out_of_memory(error):
            return Ending("failed", "out-of-memory", _OUT_OF_MEMORY)
        message = f"{type(error).__name__}: {error}".splitlines()[0]
        return Ending("failed", "error", message, trace=traceback.format_exc(limit=-8))
    outcome = finished.outcome
    return Ending(
        "done",
        outcome.cause,
        "",
        outcome.best.epoch,
        outcome.epochs_trained,
        **asdict(finished.speed),
        results=finished.results,
    )


def _is_out_of_memory(error: Exception) -> bool:
    known = isinstance(error, MemoryError | torch.OutOfMemoryError)
    return known or "can't allocate memory" in str(error)


_OUT_OF_MEMORY = "Memory ran out: try a smaller batch_size, or fewer runs at once."


def _os_failure(error: OSError) -> Ending:
    if error.errno in _NO_ROOM_ERRORS:
        return Ending("failed", "disk-full", "The disk is full: make room, then retry the run.")
    where = f": {error.filename}" if error.filename else ""
    return Ending(
        "failed", "error", f"{error.strerror or error}{where}", trace=traceback.format_exc()
    )


def _in_lane(
    work: Callable[[Lane], _Finished], device: torch.device, shared: Shared | None
) -> _Finished:
    """Do the work in a lane of the process.

    A GPU that this process can't use any more is nobody else's failure: then the process ends, and
    whatever it trained is lost and resumed.
    """
    if shared is None or shared.lanes is None:
        return work(ALONE)
    with shared.lanes.lane(device) as lane:
        met = lane.others
        try:
            return work(lane)
        except Exception as error:
            if (met or lane.others) and _is_out_of_memory(error):
                raise _CrowdedError from None
            if is_broken(device):
                if lane.others or shared.broken:
                    traceback.print_exc()
                    sys.stderr.flush()
                    os._exit(BROKEN_STATUS)
                shared.broken = True
            raise


def _train(
    folder: RunFolder,
    attempt: int,
    device: torch.device,
    journal: JournalWriter,
    stop: Callable[[], bool],
    fence: Fence,
    group: Group,
    shared: Shared | None,
    lane: Lane,
) -> _Finished:
    with lane.aside():
        spec = load_spec(folder)
        definition = definition_of(spec, folder.code)
        data = open_data(spec.source, check=True)
        interactions = data.interactions
        check_same_data(group, data_checksum(interactions, spec.source))
        confirmation = confirm(spec.source)
        if confirmation is not None and not confirmation.usable:
            raise DataError(confirmation.sentence)
        chosen = chosen_before(folder, spec)
        begin = resumption(folder, spec, interactions)
        group.broadcast(begin.name)
        facts = start_facts(
            folder, attempt, spec, definition, data, device, begin, chosen, group.world_size
        )
        worker = shared and shared.worker
        confirmed = confirmation and confirmation.confirmed
        journal.write("start", **facts, worker=worker, confirmed=confirmed)
    for problem in begin.problems:
        journal.write("warning", message=problem)
    if confirmation is not None and confirmation.confirmed is False:
        journal.write("warning", message=confirmation.sentence)
    company = company_of(lane, device)
    gpus = _gpu_uuids(device, group.world_size)
    telemetry = TelemetryThread(journal, os.getpid(), gpus, company)
    telemetry.start()

    def asked_to_stop() -> bool:
        company.look()
        return stop() or fence.passed()

    at = spec.trial.study.rungs(spec.model) if spec.trial is not None else ()
    try:
        outcome = train(
            spec,
            definition,
            interactions,
            device,
            JournalRecorder(journal, telemetry, company),
            resume=begin.checkpoint,
            save=lambda checkpoint: _save(folder, attempt, journal, checkpoint),
            stop=asked_to_stop,
            pause=lambda epoch: is_paused(folder, epoch, at),
            group=group,
            measured=telemetry.training,
            chosen=chosen,
            lane=lane,
        )
    finally:
        telemetry.end()
    if spec.trial is not None:
        return _Finished(outcome, InferenceSpeed(), {})
    split = run_split(interactions, spec)
    lists = _lists(spec, split, device, outcome.model, lane)
    if fence.passed(now=True):
        raise Interrupted
    with lane.aside():
        results = test_results(split, outcome.test_ranks.numpy(), lists)
    _save_results(folder, outcome, lists)
    return _Finished(outcome, _timed(spec, split, device, outcome.model, shared, lane), results)


def _save(folder: RunFolder, attempt: int, journal: JournalWriter, checkpoint: Checkpoint) -> None:
    path = folder.checkpoint(attempt)
    digest = save_checkpoint(path, checkpoint, folder.checkpoint_before(attempt))
    journal.write(
        "checkpoint",
        epoch=checkpoint.epoch,
        file=path.name,
        sha256=digest,
        log_bytes=log_bytes(folder),
    )
    for _, stale in folder.checkpoints()[:-KEPT_CHECKPOINTS]:
        stale.unlink(missing_ok=True)


def _timed(
    spec: RunSpec,
    split: SplitData,
    device: torch.device,
    model: Model,
    shared: Shared | None,
    lane: Lane,
) -> InferenceSpeed:
    """Measure the inference speed with the device for itself; in a process that trains several runs
    at once only of one of the runs that differ in their seed."""

    def timed() -> InferenceSpeed:
        with lane.exclusive():
            return _speed(spec, split, device, model)

    if shared is not None and shared.lanes is not None:
        cell = spec.model_copy(update={"seed": 0}).fingerprint()
        if cell in shared.timed:
            return InferenceSpeed()
        shared.timed.add(cell)
    return lane.in_common_thread(timed)


def _speed(spec: RunSpec, split: SplitData, device: torch.device, model: Model) -> InferenceSpeed:
    """Measure the trained model's inference speed on the test users, each with the history before
    the user's last target."""
    rows = split.test.last[:MOST_HISTORIES]
    histories = torch.from_numpy(split.histories("test", spec.length, rows))
    timed = isinstance(model, TimedModel)
    moments = split.history_times("test", spec.length, rows) if timed else None
    times = None if moments is None else torch.from_numpy(moments)
    bfloat16 = uses_bfloat16(spec.training, device)
    return inference_speed(model, histories, device, bfloat16=bfloat16, times=times)


def _lists(
    spec: RunSpec, split: SplitData, device: torch.device, model: Model, lane: Lane
) -> Recommended:
    batch, bfloat16 = spec.training.eval_batch_size, uses_bfloat16(spec.training, device)
    return recommended(model, split, device, batch, bfloat16=bfloat16, lane=lane)


def _save_results(folder: RunFolder, outcome: Outcome, lists: Recommended) -> None:
    if with_several(outcome.test_users):
        _save_array(folder.test_users, outcome.test_users.astype(np.int32))
    _save_array(folder.test_ranks, outcome.test_ranks.numpy())
    _save_array(folder.test_top, lists.over_all)
    _save_array(folder.test_top_masked, lists.masked)
    buffer = BytesIO()
    torch.save(outcome.best.model, buffer)
    write_atomically(folder.best_model, buffer.getvalue())


def _save_array(path: Path, array: NDArray[np.integer]) -> None:
    buffer = BytesIO()
    np.save(buffer, array, allow_pickle=False)
    write_atomically(path, buffer.getvalue())


def _gpu_uuids(device: torch.device, processes: int) -> list[str]:
    """Return the UUIDs of the GPUs of all ranks, this one's (0) first; none on the CPU."""
    if device.type != "cuda":
        return []
    first = device.index or 0
    properties = map(torch.cuda.get_device_properties, range(first, first + processes))
    return [f"GPU-{each.uuid}" for each in properties]
