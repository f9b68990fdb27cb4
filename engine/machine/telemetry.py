"""Telemetry of the host and, by NVML, of its GPUs.

A figure that the driver doesn't report is ``None``, never 0. Imports neither torch nor numpy.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psutil
import pynvml

MIB = 1024 * 1024


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
    processes: tuple[tuple[int, float | None], ...]
    """Process id and memory in MiB, of the processes that the driver shows."""
    throttle: int | None = None
    """NVML's bits for the reasons of a lowered clock (`engine.marks`)."""

    def others(self, pid: int) -> int | None:
        """Count the processes on the GPU other than ``pid``; ``None`` if the driver doesn't show
        ``pid`` itself, as in a container, or before it uses the GPU."""
        pids = {other for other, _ in self.processes}
        return len(pids - {pid}) if pid in pids else None


@dataclass(frozen=True, slots=True)
class HostSample:
    """A sample of the machine's CPU and memory."""

    cpu_percent: float
    """Mean over all cores, 0 to 100, since the sample before."""
    memory_used_mib: float
    memory_total_mib: float
    load: float
    """Load average of the last minute."""
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

    The first CPU figures cover the time since the sampler was created.

    Args:
        pid: the process for `process`.
    """

    def __init__(self, pid: int | None = None) -> None:
        self._gpus = _Nvml()
        self._process = psutil.Process(pid) if pid is not None else None
        psutil.cpu_percent()
        if self._process is not None:
            self._process.cpu_percent()

    def sample(self) -> Sample:
        """Take a sample, in a millisecond or two per GPU."""
        gpus, note = self._gpus.sample()
        return Sample(time.time(), _host(), gpus, note)

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
        self._gpus.close()


def driver_version() -> str | None:
    """Return the NVIDIA driver's version; ``None`` without a driver."""
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
    """A GPU, with the name it had at the start, which is kept if the GPU is lost."""

    index: int
    handle: Any
    uuid: str
    name: str


class _Nvml:
    """The driver's library, or a note on why it is unavailable."""

    def __init__(self) -> None:
        self._nvml: Any = None
        self._known: list[_Known] = []
        self._note = "no NVIDIA driver on this machine: showing the host only"
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
        """Call the driver; return ``None`` for a figure that isn't supported, or if the GPU is
        lost."""
        try:
            return call(*arguments)
        except (self._nvml.NVMLError, UnicodeDecodeError):
            return None

    def _throttle(self, handle: Any) -> int | None:
        """Return NVML's bits, which drivers before 535 have under another name."""
        nvml = self._nvml
        reasons = self._ask(nvml.nvmlDeviceGetCurrentClocksEventReasons, handle)
        if reasons is None:
            reasons = self._ask(nvml.nvmlDeviceGetCurrentClocksThrottleReasons, handle)
        return None if reasons is None else int(reasons)

    def _memory(self, handle: Any) -> Any:
        """Return the memory as nvidia-smi does; before 510, drivers counted reserved memory as
        used."""
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
