"""The panel of devices: the load of each, what is in its slots, and processes of others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content
from textual.signal import Signal

from tui.lab import Lab
from tui.launch.costs.estimates import Machine
from tui.shell.reading import Reading
from tui.shell.states import glyph
from tui.shell.text import TITLE, UNKNOWN, count, gib, plain
from tui.widgets.lines import Line, Lines, fit, line_length, progress_bar

if TYPE_CHECKING:
    from engine.machine.busyprocesses import ForeignProcess
    from engine.machine.occupancy import DeviceUse
    from engine.store.queries import Run
    from tui.launch.devices.reading import DeviceReader

LOOK_SECONDS = 2.0

_BAR_CELLS = 6
_WIDE = 50
"""Cells from which there is room for a run's part of its device."""
_BUSY, _FULL = 90.0, 0.9
"""The load, in percent, from which it is drawn as a warning."""


class DeviceSlots(Lines):
    """Looks at the devices again and again while its screen is shown; says so by `looked`."""

    DEFAULT_CSS = "DeviceSlots { height: 1fr; }"

    app: Lab

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.machine = Machine()
        self.looked: Signal[Machine] = Signal(self, "looked")
        """Published after each look, for the screen and a dialog above it."""
        self._reader: DeviceReader | None = None
        self._reading = Reading(self, self._take, self._give_up)

    def on_mount(self) -> None:
        """Look once the screen is painted, and from then on."""
        self.call_after_refresh(self.look)
        self.set_interval(LOOK_SECONDS, self.look)

    def on_unmount(self) -> None:
        if self._reader is not None and not self._reading.busy:
            self._reader.close()

    def look(self) -> None:
        """Read the devices, unless they aren't visible or a reading is under way."""
        seen = self.screen in self.app.screen_stack  # perhaps beneath a dialog
        catalogue = self.app.catalogue
        if not seen or catalogue is None or self._reading.busy:
            return
        location, known = self.app.location, self.machine.slots

        def read() -> Machine:
            from tui.launch.devices.reading import DeviceReader

            self._reader = self._reader or DeviceReader()
            return self._reader.look(location, catalogue, known)

        self._reading.ask(read)

    def _take(self, machine: Machine) -> None:
        self.machine = machine
        self.redraw()
        self.looked.publish(machine)

    def _give_up(self, _: str) -> None:
        """Keep showing the last reading; another one follows."""

    @property
    def full_lines(self) -> int:
        """How many lines it takes to show everything."""
        return sum(len(_full(device, 80)) for device in self.machine.devices) or 2

    def digest(self) -> Content:
        """Say in a few words how busy the devices are."""
        if not self.machine.devices:
            return Content("")
        slots = [run for device in self.machine.devices for run in device.slots]
        taken = sum(run is not None for run in slots)
        loads = "  ".join(f"{d.label} {_percent(d.utilization)}" for d in self.machine.devices[:4])
        others = sum(len(device.foreign) for device in self.machine.devices)
        return Content.assemble(
            (f"{loads}  {taken}/{len(slots)} slots in use", "$text-muted"),
            (
                f", {count(others, 'other process', 'other processes')}" if others else "",
                "$warning",
            ),
        )

    def draw(self, width: int, height: int) -> list[Line]:
        if not self.machine.devices:
            return [[("reading the devices …", "$text-disabled")]]
        if self.full_lines <= height:
            return [line for device in self.machine.devices for line in _full(device, width)]
        lines = [_short(device) for device in self.machine.devices]
        if len(lines) > height > 0:
            hidden = len(lines) - height + 1
            lines = [*lines[: height - 1], [(f"and {hidden} more", "$text-disabled")]]
        return lines


def _shares(device: DeviceUse) -> bool:
    """Whether the runs on a device share it: slots of the CPU have cores of their own."""
    return device.cores is None


def _free_lines(device: DeviceUse) -> list[Line]:
    free = device.slots.count(None)
    if _shares(device) and free > 1:
        return [[(f"  · {free} free", "$text-disabled")]]
    return [[("  · free", "$text-disabled")]] * free


def _full(device: DeviceUse, width: int) -> list[Line]:
    from engine.machine.occupancy import part_of  # loaded: the devices were read

    runs = [run for run in device.slots if run is not None]
    together = runs if _shares(device) else []
    return [
        _head(device, width),
        *(_slot(run, part_of(run, together), width) for run in runs),
        *_free_lines(device),
        *(_process(process, width) for process in device.foreign),
    ]


def _head(device: DeviceUse, width: int) -> Line:
    figures = _load(device)
    room = width - line_length(figures) - cell_len(device.label) - 2
    about = device.title
    if device.load is not None and device.cores:
        about = f"{count(device.cores, 'core')}, load {device.load:.1f}"
    return [
        (device.label, "bold"),
        (fit(f" {plain(about, TITLE)}" if room > 6 else "", max(room, 0) + 2), "$text-muted"),
        *figures,
    ]


def _load(device: DeviceUse) -> Line:
    use = device.utilization
    used, total = device.memory_used_mib, device.memory_total_mib
    full = bool(used and total and used / total >= _FULL)
    bar: Line = [] if use is None else progress_bar(use / 100, _BAR_CELLS)
    look = "$text-disabled" if use is None else "$warning" if use >= _BUSY else ""
    return [
        *bar,
        (f" {_percent(use):>5}", look),
        (f"  {gib(used, total)}", "$text-disabled" if used is None else "$warning" if full else ""),
    ]


def _slot(run: Run, part: float | None, width: int) -> Line:
    """Show a run in a slot: its part of the updates on its device, where it shares that, and how
    much of it is done."""
    share = f"  {run.progress:.0%}" if run.progress is not None else ""
    if part is not None and width >= _WIDE:
        share = f"  {part:.0%} of updates{share and ' ·' + share[1:]}"
    name = plain(f"{run.model} × {run.dataset} × {run.length}", TITLE)
    text = fit(f"{name}  seed {run.seed}", width - 4 - len(share))
    return [(f"  {glyph('running')} ", "$state-running"), (text, ""), (share, "$text-muted")]


def _process(process: ForeignProcess, width: int) -> Line:
    """Show a process of another user's, as far as the machine tells."""
    share = []
    if process.memory_mib is not None:
        share.append(gib(process.memory_mib))
    if process.cpu_percent is not None:
        share.append(f"{process.cpu_percent:.0f} %")
    figures = "  " + "  ".join(share or [UNKNOWN])
    who = plain(process.name, TITLE) if process.name else f"process {process.pid}"
    who += f" ({plain(process.user, 20)})" if process.user else ""
    return [
        ("  ! ", "$warning"),
        (fit(who, width - 4 - cell_len(figures)), "$text-muted"),
        (figures, "$text-muted"),
    ]


def _short(device: DeviceUse) -> Line:
    """Show a device in one line."""
    taken = sum(run is not None for run in device.slots)
    line: Line = [
        (f"{device.label} ", "bold"),
        *_load(device),
        (f"  {taken}/{len(device.slots)}", "$state-running" if taken else "$text-disabled"),
    ]
    if device.foreign:
        line.append((f"  {len(device.foreign)} !", "$warning"))
    return line


def _percent(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.0f} %"
