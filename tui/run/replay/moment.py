"""One moment of a run: what the machine did, and what had been written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tui.shell.text import UNKNOWN, gib, shorten
from tui.widgets.lines import Line, Lines, fit, sparkline

Telemetry = Mapping[str, Any]

_LABEL_WIDTH = 8
_VALUE_WIDTH = 14


_ROWS = (
    ("gpu", "gpu_utilization", "%"),
    ("gpu mem", "gpu_memory_mib", "GiB"),
    ("power", "gpu_power_w", "W"),
    ("temp", "gpu_temperature_c", "°C"),
    ("run gpu", "process_gpu_memory_mib", "GiB"),
    ("cpu", "cpu_percent", "%"),
    ("ram", "memory_used_mib", "GiB"),
    ("run cpu", "process_cpu_percent", "%"),
    ("run ram", "process_memory_mib", "GiB"),
)
"""Label, column of the table ``telemetry``, and unit. 100 % of a run's CPU is one core."""

_WHOLES: Mapping[str, str | float] = {
    "gpu_utilization": 100.0,
    "gpu_temperature_c": 100.0,
    "cpu_percent": 100.0,
    "gpu_memory_mib": "gpu_memory_total_mib",
    "process_gpu_memory_mib": "gpu_memory_total_mib",
    "memory_used_mib": "memory_total_mib",
}
"""What a full bar means: a figure, or the highest of a column; else the highest of its own."""

_LEAST_IMPORTANT = ("temp", "run gpu", "ram", "run cpu", "power", "run ram", "gpu mem")
"""Labels left out, in this order, where there is no room for all."""

_ALWAYS = ("cpu", "ram", "run cpu", "run ram")


def _text(sample: Telemetry, column: str, unit: str) -> str:
    """A figure in its unit; of memory with the whole, unless it is a process's."""
    value = sample[column]
    if value is None:
        return UNKNOWN
    if unit != "GiB":
        return f"{value:.0f} {unit}"
    return gib(value, None if column.startswith("process_") else sample[str(_WHOLES[column])])


class DeviceMoment(Lines):
    """The devices at a moment, with the whole run as sparklines, lit up to that moment."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._samples: Sequence[Telemetry] = ()
        self._rows: list[tuple[str, str, str]] = []
        self._sparks: dict[tuple[str, int], str] = {}
        self._index: int | None = None
        self._note = ""

    def take(self, samples: Sequence[Telemetry], note: str) -> None:
        """Take the samples of a run, and a note on them."""
        self._samples, self._note, self._sparks = samples, note, {}
        self._rows = [
            row
            for row in _ROWS
            if row[0] in _ALWAYS or any(sample[row[1]] is not None for sample in samples)
        ]
        self.redraw()

    @property
    def rows(self) -> int:
        """How many rows it fills."""
        return max(1, len(self._rows)) + bool(self._note)

    def show(self, index: int | None) -> None:
        """Show the sample with an index; ``None``: the moment has none."""
        if index != self._index:
            self._index = index
            self.redraw()

    def draw(self, width: int, height: int) -> list[Line]:
        if not self._samples:
            return [[(shorten("no telemetry recorded", width), "$text-disabled")]]
        room = max(0, width - _LABEL_WIDTH - _VALUE_WIDTH - 1)
        lines: list[Line] = []
        dropped = _LEAST_IMPORTANT[: max(0, len(self._rows) - height)]
        for label, name, unit in self._rows:
            if label in dropped:
                continue
            spark, value, lit = self._spark(name, room), UNKNOWN, 0
            if self._index is not None:
                value = _text(self._samples[self._index], name, unit)
                lit = (self._index + 1) * room // len(self._samples)
            lines.append(
                [
                    (label.ljust(_LABEL_WIDTH), "$text-muted"),
                    (spark[:lit], "$primary"),
                    (spark[lit:], "$border-blurred"),
                    (" " + fit(value, _VALUE_WIDTH, ">"),
                     "$text-disabled" if value == UNKNOWN else ""),
                ]
            )  # fmt: skip
        if self._note and len(lines) < height:
            lines.append([(shorten(self._note, width), "$text-disabled")])
        return lines

    def _spark(self, name: str, width: int) -> str:
        """A bar for the highest of each piece of the run, as a share of what `_WHOLES` says."""
        key = name, width
        if key not in self._sparks:
            values = [sample[name] for sample in self._samples]
            whole = _WHOLES.get(name, name)
            top = 100.0
            if isinstance(whole, str):
                known = [sample[whole] for sample in self._samples if sample[whole] is not None]
                top = max(known, default=0.0) or 1.0
            shares: list[float | None] = []
            for cell in range(width):
                start = cell * len(values) // width
                stop = max(start + 1, (cell + 1) * len(values) // width)
                part = [value for value in values[start:stop] if value is not None]
                shares.append(min(max(part) / top, 1.0) if part else None)
            self._sparks[key] = sparkline(shares)
        return self._sparks[key]


class FigureMoment(Lines):
    """The values that were the latest at a moment."""

    _figures: Sequence[tuple[str, str]] = ()

    def show(self, figures: Sequence[tuple[str, str]]) -> None:
        """Show names and figures."""
        if figures != self._figures:
            self._figures = figures
            self.redraw()

    def draw(self, width: int, height: int) -> list[Line]:  # noqa: ARG002
        return [
            [(fit(name, width - 12), "$text-muted"), (fit(figure, 12, ">"), "")]
            for name, figure in self._figures
        ]


class StoryTail(Lines):
    """The end of journal and log as they were at a moment."""

    _story: Sequence[tuple[str, str]] = ()
    _count = 0

    def take(self, lines: Sequence[tuple[str, str]]) -> None:
        """Take all lines with their styles, in order."""
        self._story = lines
        self.redraw()

    def show(self, count: int) -> None:
        """Show the end of the first ``count`` lines."""
        if count != self._count:
            self._count = count
            self.redraw()

    def draw(self, width: int, height: int) -> list[Line]:
        shown = self._story[max(0, self._count - height) : self._count]
        if not shown:
            return [[("nothing written yet", "$text-disabled")]]
        return [[(shorten(text, width), style)] for text, style in shown]
