"""Marks of runs that aren't comparable with others: for their times, their data or their training.

Those of times are derived from what a GPU's driver reports, and from what the kernel says of CPU
time. Those of data are derived from what the attempts say of them, the one of training from
the run's best epoch and its limit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

IMPORTED = "imported"
"""Stands in the place of the profile of an imported run."""

SHARED = "shared"
_HEAT = 0x20 | 0x40
_POWER = 0x04 | 0x80
_HARDWARE = 0x08
_THROTTLES = {"throttled-heat": _HEAT, "throttled-power": _POWER, "throttled-hardware": _HARDWARE}
"""NVML's bits (``nvmlClocksEventReason…``, nvml.h): software and hardware thermal slowdown;
software power cap and hardware power brake; hardware slowdown, which is also set with the other
hardware bits. Bits for a clock that is low because the GPU is idle, or was set to be low, don't
count."""

BUSY = "busy-processor"
UNDISTURBED_SHARE = 0.8
"""Of the processor time that a run asked for, what it had at least if it isn't marked `BUSY`."""

OTHER_COPY = "other-copy"
CHANGED_DATA = "changed-data"
OF_DATA = frozenset({OTHER_COPY, CHANGED_DATA})
"""The marks of data."""

STILL_IMPROVING = "still-improving"
OF_TRAINING = frozenset({STILL_IMPROVING})
"""The marks of training that isn't finished."""

OF_METRICS = OF_DATA | OF_TRAINING
"""The marks that keep a run's metrics from being compared; the others are of times."""

MEANING: Mapping[str, str] = {
    SHARED: "another process was on its GPU, so times, memory and utilization belong to both",
    "throttled-heat": "its GPU's clock was held down by heat, so times are longer",
    "throttled-power": "its GPU's clock was held down at the power limit, so times depend on it",
    "throttled-hardware": "its GPU's clock was held down by the hardware, so times are longer",
    BUSY: f"it got less than {100 * UNDISTURBED_SHARE:.0f} % of the CPU time it asked for, because "
    "of other processes or a limit, so times are longer",
    OTHER_COPY: "its data set's file isn't the one that its entry names, so its metrics aren't "
    "comparable with published ones",
    CHANGED_DATA: "its data changed between two attempts, so it may have been tested on what it "
    "was trained on",
    STILL_IMPROVING: "its best epoch is the last one that its epoch limit allowed, so with more "
    "epochs its metrics may be better",
}
"""The explanation of every mark, in display order."""


def marks_of(samples: Iterable[tuple[float | None, float | None]]) -> tuple[str, ...] | None:
    """Return the marks for samples of the GPU.

    Args:
        samples: number of other processes, and NVML's bits for a lowered clock; each ``None`` if
            the driver didn't report it.

    Returns:
        The marks in display order; ``None`` if the driver reported nothing.
    """
    found: set[str] = set()
    reported = False
    for others, throttle in samples:
        reported |= others is not None or throttle is not None
        if others:
            found.add(SHARED)
        bits = int(throttle or 0)
        if bits & (_HEAT | _POWER):
            bits &= ~_HARDWARE
        found |= {mark for mark, mask in _THROTTLES.items() if bits & mask}
    return in_order(found) if reported else None


def of_metrics(marks: object) -> tuple[str, ...]:
    """Return the marks in `OF_METRICS` among a run's, which are words separated by spaces; none of
    ``None``."""
    return tuple(mark for mark in str(marks or "").split() if mark in OF_METRICS)


def of_times(marks: object) -> tuple[str, ...]:
    """Return the marks of times among a run's, which are separated by spaces."""
    return tuple(mark for mark in str(marks or "").split() if mark not in OF_METRICS)


def in_order(marks: Iterable[str]) -> tuple[str, ...]:
    """Return the known marks among these, each once, in display order."""
    given = set(marks)
    return tuple(mark for mark in MEANING if mark in given)
