"""The recorder that writes training's records to the journal, and the thread that samples the
machine meanwhile."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import asdict, dataclass
from functools import reduce
from operator import or_
from statistics import fmean

from engine.journal import JournalWriter
from engine.machine.energy import EnergyMeter
from engine.machine.telemetry import GpuSample, Sample, Sampler
from engine.training.recorder import EpochRecord, StepRecord
from engine.worker.shared import Company

SAMPLE_SECONDS = 0.5
"""Time between two samples, from all of which an epoch's values are computed."""

TELEMETRY_SECONDS = 2.0
"""Time between two samples that are written to the journal."""

STEPS_PER_SECOND = 10
"""Most ``step`` lines in the journal, enough for a curve."""


@dataclass(frozen=True)
class GpuUse:
    """The use of a GPU over one epoch; ``None`` where the driver doesn't report it."""

    memory_mib: float | None
    """The maximum."""
    utilization: float | None
    """The mean, in per cent."""


class TelemetryThread(threading.Thread):
    """Samples the machine in the background, and writes ``telemetry`` lines to the journal.

    Args:
        pid: the training process.
        gpus: UUIDs of the GPUs that the run trains on, the process's own first.
        company: counts the other runs that the process trains.

    Attributes:
        energy: measures the energy of training.
    """

    def __init__(
        self,
        journal: JournalWriter,
        pid: int,
        gpus: Sequence[str] = (),
        company: Company | None = None,
    ) -> None:
        super().__init__(name="telemetry", daemon=True)
        self._journal = journal
        self._pid = pid
        self._gpus = gpus
        self._company = company or Company(lambda: 0)
        self._sampler = Sampler(pid)
        self.energy = EnergyMeter(gpus)
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._since_epoch: list[GpuSample] = []
        self._since_line: dict[str, list[GpuSample]] = {uuid: [] for uuid in gpus}

    def run(self) -> None:
        written = -math.inf
        while not self._ended.wait(SAMPLE_SECONDS):
            sample, gpus = self._sample()
            now = time.monotonic()  # the sample's time is that of a clock which may be set back
            if now - written >= TELEMETRY_SECONDS:
                self.energy.look()
                try:
                    self._write(sample, gpus)
                except OSError:
                    continue  # the training thread's next line fails as well, and ends the attempt
                written = now
        if self._company.is_unsampled:
            with suppress(OSError):
                self._write(*self._sample())
        self._sampler.close()
        self.energy.close()

    def _sample(self) -> tuple[Sample, list[GpuSample | None]]:
        """Take a sample of the machine; return it, and that of each of the run's GPUs."""
        sample = self._sampler.sample()
        by_uuid = {gpu.uuid: gpu for gpu in sample.gpus}
        gpus = [by_uuid.get(uuid) for uuid in self._gpus]
        if gpus and gpus[0] is not None:
            with self._lock:
                self._since_epoch.append(gpus[0])
        for gpu in filter(None, gpus):
            self._since_line[gpu.uuid].append(gpu)
        return sample, gpus

    def training(self) -> AbstractContextManager[None]:
        """Measure the energy of what is done inside, as an epoch's training; beside other runs it
        isn't the run's."""
        if self._company.now:
            self.energy.skip()
            return nullcontext()
        return self.energy.training()

    def end(self) -> None:
        """Stop sampling, and wait for the thread."""
        self._ended.set()
        self.join()

    def gpu_use(self) -> GpuUse:
        """Return the GPU's use since the last call; the last sample counts again if there is no
        newer one."""
        with self._lock:
            samples, self._since_epoch = self._since_epoch, self._since_epoch[-1:]
        memory = [m for gpu in samples if (m := self._memory(gpu)) is not None]
        if not self._company.was_alone:
            memory.clear()  # the others' is in it, or what these have left
        utilization = [gpu.utilization for gpu in samples if gpu.utilization is not None]
        return GpuUse(max(memory, default=None), fmean(utilization) if utilization else None)

    def _own_memory(self, gpu: GpuSample) -> float | None:
        return dict(gpu.processes).get(self._pid)

    def _runs_memory(self, gpu: GpuSample | None) -> float | None:
        """Return the GPU memory of the run: that of its process, if this is made for one run."""
        if self._company.is_shared:
            return self._company.own_mib
        return self._own_memory(gpu) if gpu else None

    def _memory(self, gpu: GpuSample) -> float | None:
        own = self._own_memory(gpu)
        return gpu.memory_used_mib if own is None else own

    def _write(self, sample: Sample, gpus: Sequence[GpuSample | None]) -> None:
        """Write a line of the host and the first GPU, and one for each of the other GPUs."""
        beside = self._company.in_sample()
        process = self._sampler.process() if self._company.was_alone else None
        host = {
            "cpu_percent": sample.host.cpu_percent,
            "memory_used_mib": sample.host.memory_used_mib,
            "memory_total_mib": sample.host.memory_total_mib,
            "process_cpu_percent": process.cpu_percent if process else None,
            "process_memory_mib": process.memory_mib if process else None,
        }
        first, *others = gpus or [None]
        self._journal.write("telemetry", **self._gpu_fields(first, beside), **host)
        for number, gpu in enumerate(others, 1):
            if gpu is not None:
                self._journal.write("telemetry", gpu=number, **self._gpu_fields(gpu, beside))

    def _gpu_fields(self, gpu: GpuSample | None, beside: int) -> dict[str, float | None]:
        return {
            "gpu_utilization": gpu.utilization if gpu else None,
            "gpu_memory_mib": gpu.memory_used_mib if gpu else None,
            "gpu_memory_total_mib": gpu.memory_total_mib if gpu else None,
            "gpu_power_w": gpu.power_w if gpu else None,
            "gpu_temperature_c": gpu.temperature_c if gpu else None,
            "process_gpu_memory_mib": self._runs_memory(gpu),
            **self._disturbances(self._since_line[gpu.uuid] if gpu else [], beside),
        }

    def _disturbances(self, samples: list[GpuSample], beside: int) -> dict[str, float | None]:
        """Return what may have slowed training, over all samples since the last line, and forget
        them.

        Args:
            beside: other runs of this process, which use the GPU as other processes do.
        """
        others = [n for gpu in samples if (n := gpu.others(self._pid)) is not None]
        if samples and beside:
            others = [max(others, default=0) + beside]
        throttles = [gpu.throttle for gpu in samples if gpu.throttle is not None]
        samples.clear()
        return {
            "gpu_others": max(others, default=None),
            "gpu_throttle": reduce(or_, throttles) if throttles else None,
        }


class JournalRecorder:
    """Writes training's records to the journal, as a `engine.training.recorder.Recorder`."""

    def __init__(
        self, journal: JournalWriter, telemetry: TelemetryThread, company: Company
    ) -> None:
        self._journal = journal
        self._telemetry = telemetry
        self._company = company
        self._last_steps = time.monotonic()

    def steps(self, records: list[StepRecord]) -> None:
        """Write the newest of the updates, and as many others as `STEPS_PER_SECOND` allows."""
        now = time.monotonic()
        room = max(1, round((now - self._last_steps) * STEPS_PER_SECOND))
        self._last_steps = now
        stride = -(-len(records) // room) if records else 1
        for record in reversed(records[::-1][::stride]):
            self._journal.write("step", **asdict(record))

    def epoch(self, record: EpochRecord) -> None:
        """Write an epoch, with the GPU's use and the energy in it, and how many runs the process
        trained beside it. Beside others the process's energy, CPU time and memory aren't the
        run's."""
        fields = asdict(record)
        beside = self._company.in_epoch()
        if beside:
            fields |= {"cpu_seconds": None, "cpu_wait_seconds": None}
        if record.settings is None:
            del fields["settings"]
        gpu = self._telemetry.gpu_use()
        energy = self._telemetry.energy.last
        self._journal.write(
            "epoch",
            **fields.pop("metrics"),
            **fields,
            gpu_memory_mib=gpu.memory_mib,
            gpu_utilization=gpu.utilization,
            gpu_joules=None if beside else energy.gpu,
            cpu_joules=None if beside else energy.cpu_of(record.cpu_seconds),
            beside=beside,
        )
