"""What a run is marked with: its figures of time can't be held against those of others.

A GPU's driver tells it, sample for sample. Nothing tells it of a CPU, whose runs have no marks
and are not known to be undisturbed either.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

IMPORTED = "imported"
"""What stands for the profile of a run that another program trained."""

SHARED = "shared"
_HEAT = 0x20 | 0x40
_POWER = 0x04 | 0x80
_HARDWARE = 0x08
_THROTTLES = {"throttled-heat": _HEAT, "throttled-power": _POWER, "throttled-hardware": _HARDWARE}
"""NVML's bits (``nvmlClocksEventReason…``, nvml.h): software and hardware thermal slowdown;
software power cap and hardware power brake; hardware slowdown, which is set beside the hardware's
other two as well. Bits of a clock that is low because nothing runs, or because it was set so, are
no slowdown."""

MEANING: Mapping[str, str] = {
    SHARED: "another process was on its GPU, so times, memory and utilisation are of both",
    "throttled-heat": "its GPU's clock was held down by heat, so times are longer",
    "throttled-power": "its GPU's clock was held down at the power limit, so times depend on it",
    "throttled-hardware": "its GPU's clock was held down by the hardware, so times are longer",
}
"""Every mark, in the order in which they are shown."""


def marks_of(samples: Iterable[tuple[float | None, float | None]]) -> tuple[str, ...] | None:
    """The marks of what was seen at some moments.

    Args:
        samples: other processes on the GPU, and why its clock was held down as NVML's bits; each
            ``None`` where the driver didn't tell.

    Returns:
        ``None`` where nothing was told.
    """
    found: set[str] = set()
    told = False
    for others, throttle in samples:
        told |= others is not None or throttle is not None
        if others:
            found.add(SHARED)
        bits = int(throttle or 0)
        if bits & (_HEAT | _POWER):
            bits &= ~_HARDWARE
        found |= {mark for mark, mask in _THROTTLES.items() if bits & mask}
    return in_order(found) if told else None


def in_order(marks: Iterable[str]) -> tuple[str, ...]:
    """Those that are known, each once."""
    given = set(marks)
    return tuple(mark for mark in MEANING if mark in given)
