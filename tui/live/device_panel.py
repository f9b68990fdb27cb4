"""What this machine is doing: each GPU and the host, with the last minute or two as sparklines."""

from __future__ import annotations

from collections import defaultdict, deque

from textual.geometry import Size

from engine.machine.telemetry import GpuSample, Sample
from tui.shell.text import UNKNOWN, count, gib, plain, shorten, wrap
from tui.widgets.lines import Line, Lines, fit, sparkline

HISTORY = 90
"""Samples kept for the sparklines."""

_LABEL_WIDTH = 5
_VALUE_WIDTH = 16
_GIB = 1024
_FULL = 0.95
_HOT_CELSIUS = 85


class DevicePanel(Lines):
    """Shows `engine.machine.telemetry.Sample`s; an unknown value is ``n/a``, never 0."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._sample: Sample | None = None
        self._room = self._rows = 0
        """Rows that it may take at most, and those that it takes."""
        self._shares: dict[tuple[str, str], deque[float | None]] = defaultdict(
            lambda: deque(maxlen=HISTORY)
        )

    def show(self, sample: Sample) -> None:
        """Take a new sample."""
        self._sample = sample
        host = sample.host
        self._remember("", "cpu", _share(host.cpu_percent, 100))
        self._remember("", "ram", _share(host.memory_used_mib, host.memory_total_mib))
        for gpu in sample.gpus:
            self._remember(gpu.uuid, "use", _share(gpu.utilization, 100))
            self._remember(gpu.uuid, "mem", _share(gpu.memory_used_mib, gpu.memory_total_mib))
            self._remember(gpu.uuid, "power", _share(gpu.power_w, gpu.power_limit_w))
            self._remember(gpu.uuid, "temp", _share(gpu.temperature_c, 100))
        before = self._rows
        self._rows = len(self.draw(self.content_size.width, self._room))
        if self._rows != before:
            self.refresh(layout=True)
        self.redraw()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """As many rows as there is something to show in, up to about half of the column."""
        frame = self.gutter.height
        self._room = (container.height + frame) // 2 + 1 - frame
        self._rows = len(self.draw(width, self._room))
        return self._rows

    def draw(self, width: int, height: int) -> list[Line]:
        sample = self._sample
        if sample is None:
            return [[("reading the device …", "$text-disabled")]]
        lines = self._host(sample, width)
        if sample.gpu_note:
            lines += _note(plain(sample.gpu_note), width, height - len(lines))
        room = height - len(lines)
        if len(sample.gpus) * 5 <= room:
            gpus = [line for gpu in sample.gpus for line in self._gpu(gpu, width)]
        else:
            gpus = [self._gpu_line(gpu, width) for gpu in sample.gpus]
        if len(gpus) > room > 0:
            hidden = len(gpus) - room + 1
            gpus = [*gpus[: room - 1], [(f"and {hidden} more", "$text-disabled")]]
        return gpus + lines

    def _host(self, sample: Sample, width: int) -> list[Line]:
        host = sample.host
        cores = f"{host.cpu_percent:.0f} % · {count(host.cores, 'core')}"
        memory = gib(host.memory_used_mib, host.memory_total_mib)
        return [self._row("", "cpu", cores, width), self._row("", "ram", memory, width)]

    def _gpu(self, gpu: GpuSample, width: int) -> list[Line]:
        """One GPU in full: five lines."""
        hot = gpu.temperature_c is not None and gpu.temperature_c >= _HOT_CELSIUS
        uuid = gpu.uuid
        return [
            [(shorten(f"GPU {gpu.index} {plain(gpu.name)}", width), "bold")],
            self._row(uuid, "use", _figure(gpu.utilization, " %"), width),
            self._row(uuid, "mem", gib(gpu.memory_used_mib, gpu.memory_total_mib), width),
            self._row(uuid, "power", _of(gpu.power_w, gpu.power_limit_w, " / ", " W"), width),
            self._row(uuid, "temp", _figure(gpu.temperature_c, " °C"), width, warn=hot),
        ]

    def _gpu_line(self, gpu: GpuSample, width: int) -> Line:
        """One GPU in one line, where there is no room for more."""
        used, total = _over(gpu.memory_used_mib, _GIB), _over(gpu.memory_total_mib, _GIB)
        figures = " ".join(
            (
                _figure(gpu.utilization, "%").rjust(4),
                _of(used, total, "/", "G"),
                _figure(gpu.power_w, " W"),
                _figure(gpu.temperature_c, "°"),
            )
        )
        label = f"gpu {gpu.index} "
        bars = self._spark((gpu.uuid, "use"), width - len(label) - len(figures) - 1)
        return [(label, "$text-muted"), (bars, "$primary"), (" " + figures, "")]

    def _row(self, uuid: str, name: str, value: str, width: int, warn: bool = False) -> Line:
        history = self._shares[uuid, name]
        full = bool(history) and (history[-1] or 0) >= _FULL and name in ("mem", "ram")
        style = "$warning" if warn or full else ("$text-disabled" if value == UNKNOWN else "")
        bars = self._spark((uuid, name), width - _LABEL_WIDTH - 2 - _VALUE_WIDTH)
        return [
            (name.ljust(_LABEL_WIDTH) + " ", "$text-muted"),
            (bars, "$primary"),
            (" " + fit(value, _VALUE_WIDTH, ">"), style),
        ]

    def _spark(self, key: tuple[str, str], width: int) -> str:
        """Draw the newest shares as bars, the newest on the right; a space where unknown."""
        shares = list(self._shares[key])[-width:] if width > 0 else []
        return sparkline(shares).rjust(max(width, 0))

    def _remember(self, uuid: str, name: str, share: float | None) -> None:
        self._shares[uuid, name].append(share)


def _note(text: str, width: int, height: int) -> list[Line]:
    """Write the note in one line where there is little room, else in several."""
    lines = wrap(text, max(width, 8))
    if len(lines) > height:
        lines = [shorten(text, width)]
    return [[(line, "$text-disabled")] for line in lines]


def _share(value: float | None, whole: float | None) -> float | None:
    """``value`` of ``whole``, 0 to 1."""
    return None if value is None or not whole else min(max(value / whole, 0.0), 1.0)


def _over(value: float | None, divisor: float) -> float | None:
    return None if value is None else value / divisor


def _figure(value: float | None, unit: str) -> str:
    if value is None:
        return UNKNOWN
    return f"{value:.0f}{unit}"


def _of(value: float | None, whole: float | None, slash: str, unit: str) -> str:
    if value is None:
        return UNKNOWN
    return f"{value:.0f}" + ("" if whole is None else f"{slash}{whole:.0f}") + unit
