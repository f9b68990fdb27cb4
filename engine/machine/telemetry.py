"""Telemetry of the host and, by NVML, of its GPUs.
A value that the driver doesn't report is ``None``, never 0. Imports neither torch nor numpy.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any, NamedTuple

import psutil
import pynvml

from engine.limits import CpuQuota, Limits, memory_used, process_limits

MIB = 1024 * 1024

LIMITS_SECONDS = 10.0
"""How long the limits of this process are taken to stay as they were read."""


SHORTEST = 0.1
"""Seconds that a load of the cores is of, at least."""


class GpuProcess(NamedTuple):
    """A process on a GPU, as the driver shows it."""

    pid: int
    """In a container it is the host's."""
    memory_mib: float | None


@dataclass(frozen=True, slots=True)
class GpuSample:
    """A sample of one GPU."""

    index: int
    uuid: str
    name: str
    utilization: float | None
    """Per cent of the driver's last sampling period in which a kernel ran."""
    memory_used_mib: float | None
    memory_total_mib: float | None
    power_w: float | None
    power_limit_w: float | None
    temperature_c: float | None
    processes: tuple[GpuProcess, ...]
    throttle: int | None = None
    """NVML's bits for the reasons of a lowered clock, explained in `engine.marks`."""

    def others(self, pid: int) -> int | None:
        """Count the processes on the GPU other than ``pid``; ``None`` if the driver doesn't show
        ``pid`` itself, as in a container, or before it uses the GPU."""
        pids = {process.pid for process in self.processes}
        return len(pids - {pid}) if pid in pids else None


@dataclass(frozen=True, slots=True)
class HostSample:
    """A sample of the CPU and the memory that this process may use (`engine.limits`)."""

    cpu_percent: float
    """Of its quota of CPU time, else of the cores that it may run on, 0 to 100, since the sample
    before."""
    memory_used_mib: float
    memory_total_mib: float
    load: float
    """Load average of the whole machine in the last minute."""
    cores: int


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample of the machine."""

    t: float
    """Seconds since 1970."""
    host: HostSample
    gpus: tuple[GpuSample, ...]
    gpu_note: str | None
    """Why there are no GPUs, in one line; ``None`` if there are."""


@dataclass(frozen=True, slots=True)
class ProcessSample:
    """A sample of one process."""

    cpu_percent: float
    """Of one core: 200 is two busy cores."""
    memory_mib: float


class Sampler:
    """Takes samples of the machine, from one thread at a time.
     The first CPU values cover the time since the sampler was created.

    Args:
        pid: the process for `process`.
    """

    def __init__(self, pid: int | None = None) -> None:
        self._nvml = Nvml()
        self._process = psutil.Process(pid) if pid is not None else None
        self._limits, self._read = process_limits(), time.monotonic()
        self._cpu = CpuLoad()
        self._cpu.percent(self._limits)
        if self._process is not None:
            self._process.cpu_percent()

    def sample(self) -> Sample:
        """Take a sample, in a millisecond or two per GPU."""
        gpus = self._nvml.sample()
        return Sample(time.time(), self._host(), gpus, None if gpus else self._nvml.note)

    def process(self) -> ProcessSample | None:
        """Take a sample of the process ``pid``; ``None`` without one, or if it has ended."""
        if self._process is None:
            return None
        try:
            return ProcessSample(self._process.cpu_percent(), self._process.memory_info().rss / MIB)
        except psutil.Error:
            return None

    def close(self) -> None:
        """Close the driver's library."""
        self._nvml.close()

    def _host(self) -> HostSample:
        if time.monotonic() - self._read > LIMITS_SECONDS:
            self._limits, self._read = process_limits(), time.monotonic()
        limits = self._limits
        return HostSample(
            cpu_percent=self._cpu.percent(limits),
            memory_used_mib=memory_used(limits) / MIB,
            memory_total_mib=limits.memory / MIB,
            load=os.getloadavg()[0],
            cores=limits.cores,
        )


class CpuLoad:
    """How busy the CPU is that this process may use, since this object's look before.

    Counts by itself: psutil keeps one interval for each thread, so that it tells 0 % wherever
    another sampler has just looked, or another thread of a pool looks for the first time.
    """

    def __init__(self) -> None:
        self._cores, self._percent = _core_seconds(), 0.0
        self._quota: CpuQuota | None = None
        self._used = self._looked = 0.0

    def percent(self, limits: Limits) -> float:
        """Return the load, 0 to 100: of the quota, if its use is known, else of the cores.

        Of the cores it is the one before until `SHORTEST` has passed: the kernel counts in ticks.
        """
        percent = self._of_cores(limits)
        used = limits.quota.used_seconds() if limits.quota else None
        if limits.quota and used is not None:
            now = time.monotonic()
            if self._quota == limits.quota:
                seconds = max(now - self._looked, 1e-3)
                percent = 100 * (used - self._used) / seconds / limits.quota.cores
            self._quota, self._used, self._looked = limits.quota, used, now
        return min(max(percent, 0.0), 100.0)

    def _of_cores(self, limits: Limits) -> float:
        cores = _core_seconds()
        both = list(zip(self._cores, cores, strict=False))
        seen = [both[number] for number in limits.allowed if number < len(both)] or both
        busy = sum(now[0] - before[0] for before, now in seen)
        passed = sum(now[1] - before[1] for before, now in seen)
        if passed >= SHORTEST * len(seen):
            self._cores, self._percent = cores, 100 * busy / passed
        return self._percent


def _core_seconds() -> list[tuple[float, float]]:
    """Return for each core the seconds that it was busy, and all that were counted."""
    found = []
    for core in psutil.cpu_times(percpu=True):
        counted = sum(core) - core.guest - core.guest_nice  # guests' are among the user's
        found.append((counted - core.idle - core.iowait, counted))
    return found


def driver_version() -> str | None:
    """Return the NVIDIA driver's version; ``None`` without a driver."""
    with closing(Nvml()) as nvml:
        return nvml.driver_version()


def gpu_names() -> dict[str, str]:
    """Return the names of the driver's GPUs by their UUIDs, in the driver's order."""
    with closing(Nvml()) as nvml:
        return {gpu.uuid: gpu.name for gpu in nvml.gpus if gpu.uuid}


@dataclass(frozen=True, slots=True)
class _Gpu:
    """A GPU, with the name it had at the start, which is kept if the GPU is lost."""

    index: int
    handle: Any
    uuid: str
    name: str


class Nvml:
    """The driver's library, opened.

    Attributes:
        gpus: the GPUs that the driver showed when the library was opened.
        note: why there are none, in one line.
    """

    def __init__(self) -> None:
        self.gpus: list[_Gpu] = []
        self.note = "No GPU found; showing CPU and RAM"
        absent = (pynvml.NVMLError_LibraryNotFound, pynvml.NVMLError_DriverNotLoaded)
        try:
            pynvml.nvmlInit()
        except (pynvml.NVMLError, OSError) as error:
            self._open = False
            if not isinstance(error, absent):
                why = str(error).rstrip(".")
                self.note = f"The NVIDIA driver doesn't respond ({why}); showing CPU and RAM"
            return
        self._open = True
        self.note = "The NVIDIA driver reports no GPU; showing CPU and RAM"
        for index in range(_ask(pynvml.nvmlDeviceGetCount) or 0):
            handle = _ask(pynvml.nvmlDeviceGetHandleByIndex, index)
            if handle is not None:
                uuid = _ask(pynvml.nvmlDeviceGetUUID, handle) or ""
                name = _ask(pynvml.nvmlDeviceGetName, handle) or "NVIDIA GPU"
                self.gpus.append(_Gpu(index, handle, uuid, name))

    def sample(self) -> tuple[GpuSample, ...]:
        """Take a sample of every GPU."""
        return tuple(map(_sample, self.gpus))

    def millijoules(self, uuid: str) -> int | None:
        """Return the energy that a GPU has taken since the driver was loaded; ``None`` if it isn't
        counted, as on those before Volta, or if there is no such GPU."""
        found = next((gpu for gpu in self.gpus if gpu.uuid == uuid), None)
        if found is None:
            return None
        count = _ask(pynvml.nvmlDeviceGetTotalEnergyConsumption, found.handle)
        return None if count is None else int(count)

    def driver_version(self) -> str | None:
        """Return the driver's version; ``None`` without a driver."""
        return _ask(pynvml.nvmlSystemGetDriverVersion) or None if self._open else None

    def close(self) -> None:
        """Close the library; a second call does nothing."""
        if self._open:
            _ask(pynvml.nvmlShutdown)
            self._open, self.gpus = False, []


def _sample(gpu: _Gpu) -> GpuSample:
    handle = gpu.handle
    rates = _ask(pynvml.nvmlDeviceGetUtilizationRates, handle)
    memory = _memory(handle)
    return GpuSample(
        index=gpu.index,
        uuid=gpu.uuid,
        name=gpu.name,
        utilization=None if rates is None else float(rates.gpu),
        memory_used_mib=None if memory is None else memory.used / MIB,
        memory_total_mib=None if memory is None else memory.total / MIB,
        power_w=_scaled(_ask(pynvml.nvmlDeviceGetPowerUsage, handle), 1e-3),
        power_limit_w=_scaled(_ask(pynvml.nvmlDeviceGetEnforcedPowerLimit, handle), 1e-3),
        temperature_c=_scaled(
            _ask(pynvml.nvmlDeviceGetTemperature, handle, pynvml.NVML_TEMPERATURE_GPU), 1
        ),
        processes=tuple(
            GpuProcess(process.pid, _scaled(process.usedGpuMemory, 1 / MIB))
            for process in _ask(pynvml.nvmlDeviceGetComputeRunningProcesses, handle) or ()
        ),
        throttle=_throttle(handle),
    )


def _memory(handle: Any) -> Any:
    """Return the memory as nvidia-smi does; before 510, drivers counted reserved memory as used."""
    memory = _ask(pynvml.nvmlDeviceGetMemoryInfo, handle, pynvml.nvmlMemory_v2)
    return memory or _ask(pynvml.nvmlDeviceGetMemoryInfo, handle)


def _throttle(handle: Any) -> int | None:
    """Return NVML's bits, which drivers before 535 have under another name."""
    reasons = _ask(pynvml.nvmlDeviceGetCurrentClocksEventReasons, handle)
    if reasons is None:
        reasons = _ask(pynvml.nvmlDeviceGetCurrentClocksThrottleReasons, handle)
    return None if reasons is None else int(reasons)


def _ask(call: Callable[..., Any], *arguments: Any) -> Any:
    """Call the driver; return ``None`` for a value that isn't supported, or if the GPU is lost."""
    try:
        return call(*arguments)
    except (pynvml.NVMLError, UnicodeDecodeError):
        return None


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor
