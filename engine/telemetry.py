"""What the machine is doing: NVML where there is a GPU, the host always.

A figure that the driver doesn't tell is ``None``, never 0. Light to import: no torch, no numpy.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psutil

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class GpuSample:
    """One GPU at one moment."""

    index: int
    uuid: str
    name: str
    utilization: float | None
    """Per cent of the last sampling period in which a kernel ran."""
    memory_used_mib: float | None
    memory_total_mib: float | None
    power_w: float | None
    power_limit_w: float | None
    temperature_c: float | None
    processes: tuple[tuple[int, float | None], ...]
    """Process id and its memory in MiB, for those that the driver shows."""
    throttle: int | None = None
    """Why the clock is lower than it could be, as NVML's bits (`engine.marks`)."""

    def others(self, pid: int) -> int | None:
        """Processes on the GPU beside ``pid``; ``None`` where that one isn't seen on it, as from
        inside a container, or before it begins to compute."""
        pids = {other for other, _ in self.processes}
        return len(pids - {pid}) if pid in pids else None


@dataclass(frozen=True, slots=True)
class HostSample:
    """CPU and memory of the machine."""

    cpu_percent: float
    """Of all cores together, 0 to 100, since the sample before."""
    memory_used_mib: float
    memory_total_mib: float
    load: float
    """Runnable processes, mean over the last minute."""
    cores: int


@dataclass(frozen=True, slots=True)
class Sample:
    t: float
    host: HostSample
    gpus: tuple[GpuSample, ...]
    gpu_note: str | None
    """Why no GPU is shown, in one line; ``None`` if any is."""


@dataclass(frozen=True, slots=True)
class ProcessSample:
    """One process, for a run's own journal."""

    cpu_percent: float
    """100 is one core."""
    memory_mib: float


class Sampler:
    """Reads the machine. Keep one and call `sample` from one thread at a time.

    The first CPU figures cover the time since the sampler was made.
    """

    def __init__(self, pid: int | None = None) -> None:
        self._gpus = _Nvml()
        self._process = psutil.Process(pid) if pid is not None else None
        psutil.cpu_percent()
        if self._process is not None:
            self._process.cpu_percent()

    def sample(self) -> Sample:
        """Read everything once; takes a millisecond or two a GPU."""
        gpus, note = self._gpus.sample()
        return Sample(time.time(), _host(), gpus, note)

    def process(self) -> ProcessSample | None:
        """Read the process given at the start; ``None`` if none was, or if it is gone."""
        if self._process is None:
            return None
        try:
            return ProcessSample(self._process.cpu_percent(), self._process.memory_info().rss / MIB)
        except psutil.Error:
            return None

    def close(self) -> None:
        """Let go of the driver."""
        self._gpus.close()


def driver_version() -> str | None:
    """Of the NVIDIA driver; ``None`` where there is none."""
    nvml = _Nvml()
    try:
        return nvml.driver_version()
    finally:
        nvml.close()


def _host() -> HostSample:
    memory = psutil.virtual_memory()
    return HostSample(
        cpu_percent=psutil.cpu_percent(),
        memory_used_mib=(memory.total - memory.available) / MIB,
        memory_total_mib=memory.total / MIB,
        load=os.getloadavg()[0],
        cores=len(os.sched_getaffinity(0)),
    )


@dataclass(frozen=True, slots=True)
class _Known:
    """A GPU as it was when the sampler was made: one that is lost later still has its name."""

    index: int
    handle: Any
    uuid: str
    name: str


class _Nvml:
    """The driver's library, or the reason why there is none."""

    def __init__(self) -> None:
        self._nvml: Any = None
        self._known: list[_Known] = []
        self._note = "no NVIDIA driver on this machine: showing the host only"
        import pynvml

        absent = (pynvml.NVMLError_LibraryNotFound, pynvml.NVMLError_DriverNotLoaded)
        try:
            pynvml.nvmlInit()
        except (pynvml.NVMLError, OSError) as error:
            if not isinstance(error, absent):
                why = str(error).rstrip(".")
                self._note = f"the NVIDIA driver doesn't answer ({why}): showing the host only"
            return
        self._nvml = pynvml
        for index in range(self._ask(pynvml.nvmlDeviceGetCount) or 0):
            handle = self._ask(pynvml.nvmlDeviceGetHandleByIndex, index)
            if handle is not None:
                uuid = _text(self._ask(pynvml.nvmlDeviceGetUUID, handle))
                name = _text(self._ask(pynvml.nvmlDeviceGetName, handle)) or "NVIDIA GPU"
                self._known.append(_Known(index, handle, uuid, name))
        if not self._known:
            self._note = "the NVIDIA driver shows no GPU: showing the host only"

    def sample(self) -> tuple[tuple[GpuSample, ...], str | None]:
        gpus = tuple(self._gpu(known) for known in self._known)
        return gpus, None if gpus else self._note

    def driver_version(self) -> str | None:
        if self._nvml is None:
            return None
        return _text(self._ask(self._nvml.nvmlSystemGetDriverVersion)) or None

    def close(self) -> None:
        if self._nvml is not None:
            self._ask(self._nvml.nvmlShutdown)
            self._nvml, self._known = None, []

    def _ask(self, call: Callable[..., Any], *arguments: Any) -> Any:
        """A figure, or ``None`` where the driver says "not supported" or the GPU is lost."""
        try:
            return call(*arguments)
        except (self._nvml.NVMLError, UnicodeDecodeError):
            return None

    def _throttle(self, handle: Any) -> int | None:
        """NVML's bits. Drivers before 535 know them by another name."""
        nvml = self._nvml
        reasons = self._ask(nvml.nvmlDeviceGetCurrentClocksEventReasons, handle)
        if reasons is None:
            reasons = self._ask(nvml.nvmlDeviceGetCurrentClocksThrottleReasons, handle)
        return None if reasons is None else int(reasons)

    def _memory(self, handle: Any) -> Any:
        """As nvidia-smi tells it; drivers before 510 count what they reserve as used."""
        memory = self._ask(self._nvml.nvmlDeviceGetMemoryInfo, handle, self._nvml.nvmlMemory_v2)
        return memory or self._ask(self._nvml.nvmlDeviceGetMemoryInfo, handle)

    def _gpu(self, known: _Known) -> GpuSample:
        nvml, handle = self._nvml, known.handle
        rates = self._ask(nvml.nvmlDeviceGetUtilizationRates, handle)
        memory = self._memory(handle)
        return GpuSample(
            index=known.index,
            uuid=known.uuid,
            name=known.name,
            utilization=None if rates is None else float(rates.gpu),
            memory_used_mib=None if memory is None else memory.used / MIB,
            memory_total_mib=None if memory is None else memory.total / MIB,
            power_w=_scaled(self._ask(nvml.nvmlDeviceGetPowerUsage, handle), 1e-3),
            power_limit_w=_scaled(self._ask(nvml.nvmlDeviceGetEnforcedPowerLimit, handle), 1e-3),
            temperature_c=_scaled(
                self._ask(nvml.nvmlDeviceGetTemperature, handle, nvml.NVML_TEMPERATURE_GPU), 1
            ),
            processes=tuple(
                (process.pid, _scaled(process.usedGpuMemory, 1 / MIB))
                for process in self._ask(nvml.nvmlDeviceGetComputeRunningProcesses, handle) or ()
            ),
            throttle=self._throttle(handle),
        )


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def _text(value: str | bytes | None) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value or ""
