"""Marks of runs whose training was disturbed, so that their times aren't comparable with others.

They are derived from what a GPU's driver reports. Runs on a CPU have no marks, which doesn't mean
that they were undisturbed.
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

MEANING: Mapping[str, str] = {
    SHARED: "another process was on its GPU, so times, memory and utilisation are of both",
    "throttled-heat": "its GPU's clock was held down by heat, so times are longer",
    "throttled-power": "its GPU's clock was held down at the power limit, so times depend on it",
    "throttled-hardware": "its GPU's clock was held down by the hardware, so times are longer",
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


def in_order(marks: Iterable[str]) -> tuple[str, ...]:
    """Return the known marks among these, each once, in display order."""
    given = set(marks)
    return tuple(mark for mark in MEANING if mark in given)
