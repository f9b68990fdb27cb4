"""The energy that a run's training takes: of its GPUs by NVML, of the machine's processors by RAPL.

Both count for a device as a whole, whoever uses it. What isn't counted, may not be read, or didn't
move is ``None``, never 0.
"""

from __future__ import annotations

import threading
import time
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

SHORT_SECONDS = 0.25
"""Training of less than this isn't measured by itself."""

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

    def times(self, factor: float) -> Energy:
        """Return a multiple of it."""
        gpu = None if self.gpu is None else self.gpu * factor
        cpu = None if self.cpu is None else self.cpu * factor
        return Energy(gpu, cpu, self.busy * factor)


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


@dataclass(frozen=True, slots=True)
class _Look:
    """What the counters have counted until a moment."""

    t: float
    """Of the monotonic clock."""
    gpu: list[int] | None
    """Millijoules of each GPU."""
    cpu: int
    """Microjoules of all zones since the meter was made."""
    gaps: int
    """How often the zones couldn't be read: what they counted before and after has no sum."""
    busy: float

    def until(self, later: _Look) -> Energy:
        """Return the energy from here to a later look."""
        used = later.cpu - self.cpu if later.gaps == self.gaps else 0
        cpu = MICROJOULE * used if used else None
        return Energy(_joules(self.gpu, later.gpu), cpu, later.busy - self.busy)


class EnergyMeter:
    """Measures the energy of the training of each epoch. Safe to use from two threads.

    An epoch's training of ``short_seconds`` or more is measured from its begin to its end. Shorter
    ones have the mean power of the last ``short_seconds`` or more, whatever was done in them: a
    GPU's counter takes milliseconds to read, and moves only some times per second.

    Args:
        gpus: UUIDs of the GPUs that the run trains on.
        powercap: where the kernel has its energy counters, if not in `POWERCAP`.
        busy: returns the CPU seconds that all processes of the machine had since some moment.
        short_seconds: if not `SHORT_SECONDS`.
    """

    def __init__(
        self,
        gpus: Sequence[str] = (),
        powercap: Path | None = None,
        busy: Callable[[], float] | None = None,
        short_seconds: float | None = None,
    ) -> None:
        self._nvml = Nvml() if gpus else None
        self._gpus = gpus
        self._zones = rapl_zones(powercap or POWERCAP)
        self._busy = busy or _busy_seconds
        self._short_seconds = SHORT_SECONDS if short_seconds is None else short_seconds
        self._lock = threading.Lock()
        self._counts = self._zone_counts()
        self._used = self._gaps = 0
        self._mark: _Look | None = self._look()
        self._power: Energy | None = None
        """Per second, before the mark."""
        self._was_short = False
        self._last = Energy(None, None, 0.0)

    def look(self) -> None:
        """Count on. A RAPL counter begins again after some minutes of full load, and of two such
        turns between two looks only one would be seen."""
        with self._lock:
            self._count()

    @contextmanager
    def training(self) -> Iterator[None]:
        """Measure what is done inside, as the training of an epoch (`last`)."""
        begin = None if self._was_short and self._mark else self._look()
        if self._mark is None:
            self._mark, self._power = begin, None
        began = time.monotonic()
        yield
        seconds = time.monotonic() - began
        self._was_short = seconds < self._short_seconds
        if begin is not None and not self._was_short:
            self._mark, self._power = self._look(), None
            self._last = begin.until(self._mark)
            return
        assert self._mark is not None
        if self._power is None or time.monotonic() - self._mark.t >= self._short_seconds:
            mark, self._mark = self._mark, self._look()
            self._power = mark.until(self._mark).times(1 / (self._mark.t - mark.t))
        self._last = self._power.times(seconds)

    def skip(self) -> None:
        """Leave out the time until the next training."""
        self._mark = None

    @property
    def last(self) -> Energy:
        """The energy of the last training that was measured; unknown before."""
        return self._last

    def close(self) -> None:
        """Close the driver's library."""
        if self._nvml is not None:
            self._nvml.close()

    def _look(self) -> _Look:
        gpu, busy = self._gpu_counts(), self._busy()
        with self._lock:
            self._count()
            return _Look(time.monotonic(), gpu, self._used, self._gaps, busy)

    def _count(self) -> None:
        counts = self._zone_counts()
        if counts is None or self._counts is None:
            self._gaps += 1
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
