"""The energy that a run's training takes: of its GPUs by NVML, of the machine's processors by RAPL.

Both count for a device as a whole, whoever uses it. What isn't counted, may not be read, or didn't
move is ``None``, never 0.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from engine.machine.telemetry import Nvml
from engine.marks import UNDISTURBED_SHARE

POWERCAP = Path("/sys/class/powercap")
"""The kernel's folder of energy counters (Documentation/power/powercap)."""

MICROJOULE, MILLIJOULE = 1e-6, 1e-3

TICKS_SECONDS = 0.05
"""By how much the CPU time of all processes, which the kernel counts in ticks, may be too much."""


@dataclass(frozen=True, slots=True)
class Energy:
    """The energy of one epoch's training, in joules; ``None`` where it isn't known."""

    gpu: float | None
    """Of all GPUs of the run."""
    cpu: float | None
    """Of all processor packages of the machine, with their memory where it is counted apart."""
    busy: float
    """CPU seconds that all processes of the machine had meanwhile."""

    def cpu_of(self, cpu_seconds: float) -> float | None:
        """Return the energy of the processors as that of a run; ``None`` if others used them, too.

        Args:
            cpu_seconds: what the run had of the CPU time of all processes.
        """
        others = self.busy - cpu_seconds - TICKS_SECONDS
        return self.cpu if others <= (1 - UNDISTURBED_SHARE) * self.busy else None


@dataclass(frozen=True, slots=True)
class Zone:
    """A RAPL counter: of a processor package, or of the memory at one.

    Attributes:
        span: microjoules after which it begins at 0 again.
    """

    path: Path
    span: int

    def read(self) -> int | None:
        """Return its microjoules; ``None`` if it may not be read, as for any user but root."""
        return _number(self.path / "energy_uj")


def rapl_zones(root: Path) -> list[Zone]:
    """Find the packages and their memory (``dram``).

    Other zones are parts of a package (``core``, ``uncore``) or hold packages (``psys``); the same
    counters by way of MMIO have folders of another name.
    """
    zones = []
    for folder in sorted(root.glob("intel-rapl:*")):
        name = _text(folder / "name")
        span = _number(folder / "max_energy_range_uj")
        if span is not None and (name == "dram" or name.startswith("package")):
            zones.append(Zone(folder, span))
    return zones


class EnergyMeter:
    """Measures the energy of the training of each epoch. Safe to use from two threads.

    Args:
        gpus: UUIDs of the GPUs that the run trains on.
        powercap: where the kernel has its energy counters, if not in `POWERCAP`.
        busy: returns the CPU seconds that all processes of the machine had since some moment.
    """

    def __init__(
        self,
        gpus: Sequence[str] = (),
        powercap: Path | None = None,
        busy: Callable[[], float] | None = None,
    ) -> None:
        self._nvml = Nvml() if gpus else None
        self._gpus = gpus
        self._zones = rapl_zones(powercap or POWERCAP)
        self._busy = busy or _busy_seconds
        self._lock = threading.Lock()
        self._counts: list[int] | None = None
        self._used: int | None = None
        self._last = Energy(None, None, 0.0)

    def look(self) -> None:
        """Count on. A RAPL counter begins again after some minutes of full load, and of two such
        turns between two looks only one would be seen."""
        with self._lock:
            self._look()

    @contextmanager
    def training(self) -> Iterator[None]:
        """Measure what is done inside, as the training of an epoch (`last`)."""
        busy, gpu = self._busy(), self._gpu_counts()
        with self._lock:
            self._counts, self._used = self._zone_counts(), 0
        yield
        spent = _joules(gpu, self._gpu_counts())
        with self._lock:
            self._look()
            used = self._used
        cpu = MICROJOULE * used if used else None
        self._last = Energy(spent, cpu, self._busy() - busy)

    @property
    def last(self) -> Energy:
        """The energy of the last training that was measured; unknown before."""
        return self._last

    def close(self) -> None:
        """Close the driver's library."""
        if self._nvml is not None:
            self._nvml.close()

    def _look(self) -> None:
        counts = self._zone_counts()
        if counts is None or self._counts is None or self._used is None:
            self._used = None
        else:
            for zone, before, now in zip(self._zones, self._counts, counts, strict=True):
                self._used += now - before if now >= before else now + zone.span - before
        self._counts = counts

    def _zone_counts(self) -> list[int] | None:
        counts = [count for zone in self._zones if (count := zone.read()) is not None]
        return counts if self._zones and len(counts) == len(self._zones) else None

    def _gpu_counts(self) -> list[int] | None:
        if self._nvml is None:
            return None
        counts = [n for uuid in self._gpus if (n := self._nvml.millijoules(uuid)) is not None]
        return counts if len(counts) == len(self._gpus) else None


def _joules(before: list[int] | None, after: list[int] | None) -> float | None:
    """Return the joules between two looks at the GPUs' counters, which begin at 0 again only with
    the driver."""
    if before is None or after is None:
        return None
    used = [now - then for then, now in zip(before, after, strict=True)]
    return MILLIJOULE * sum(used) if min(used) > 0 else None


def _busy_seconds() -> float:
    times = psutil.cpu_times()
    return float(sum(times) - times.guest - times.guest_nice - times.idle - times.iowait)


def _number(path: Path) -> int | None:
    try:
        return int(_text(path))
    except ValueError:
        return None


def _text(path: Path) -> str:
    """Return a file's text; an empty one if it can't be read."""
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
