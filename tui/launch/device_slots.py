"""Each device: its load, what is in its slots, and whose processes are on it besides."""

from __future__ import annotations

import os
import socket
import time
from contextlib import closing
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual import work
from textual.content import Content
from textual.message import Message

from tui.launch.grid.cells import progress_bar
from tui.shell.states import glyph
from tui.shell.text import TITLE, count, plain
from tui.widgets.lines import Line, Lines, fit, line_length

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.machine.busyprocesses import BusyProcesses, ForeignProcess
    from engine.machine.occupancy import DeviceUse
    from engine.machine.slots import Slot
    from engine.machine.telemetry import Sampler
    from engine.store.occupants import Occupant
    from engine.store.queries import Run, Supervisor
    from tui.lab import Lab

LOOK_SECONDS = 2.0
FIRST_SECONDS = 0.2
"""Over which the first shares are taken."""

UNKNOWN = "n/a"

_BAR_CELLS = 6
_GIB = 1024
_BUSY, _FULL = 90.0, 0.9
"""From here on a load is worth a warning."""


class DeviceSlots(Lines):
    """Looks by itself, in a thread, while its screen is the one that is shown."""

    DEFAULT_CSS = "DeviceSlots { height: 1fr; }"

    app: Lab

    class Looked(Message):
        """There is something new to show: see ``devices``."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.devices: Sequence[DeviceUse] = ()
        self.slots: Sequence[Slot] = ()
        self._sampler: Sampler | None = None
        self._busy: BusyProcesses | None = None
        self._looking = False

    def on_mount(self) -> None:
        """The first look comes once the screen is painted."""
        self.call_after_refresh(self.look)
        self.set_interval(LOOK_SECONDS, self.look)

    def on_unmount(self) -> None:
        if self._sampler is not None and not self._looking:
            self._sampler.close()

    def look(self) -> None:
        """Read the machine again, unless nobody sees it or a look is under way."""
        seen = self.screen in self.app.screen_stack  # perhaps beneath a dialog
        if seen and self.app.catalogue is not None and not self._looking:
            self._looking = True
            self._look()

    @work(thread=True, group="devices")
    def _look(self) -> None:
        from engine.errors import UserError
        from engine.machine.busyprocesses import BusyProcesses
        from engine.machine.occupancy import device_uses, slots_of
        from engine.machine.telemetry import Sampler

        if self._sampler is None or self._busy is None:
            self._sampler, self._busy = Sampler(), BusyProcesses()
            self._busy.look(())
            time.sleep(FIRST_SECONDS)  # a share of no time at all would say nothing
        ours = {os.getpid()}
        occupants: Sequence[Occupant] = ()
        slots = self.slots
        try:
            slots = slots or self._own_slots()
            supervisor, occupants = self._read_store()
        except (UserError, OSError):
            pass  # the header says that the store can't be read
        else:
            if supervisor is not None:
                slots = slots_of(supervisor) or slots
                ours.add(supervisor.pid)
        sample = self._sampler.sample()
        ours.update(one.pid for one in occupants if one.pid)
        on_cpu = bool(slots) and slots[0].device == "cpu"
        busy = self._busy.look(ours) if on_cpu else ()
        self.call_later(self._take, slots, device_uses(slots, sample, occupants, busy))

    def _own_slots(self) -> Sequence[Slot]:
        """Those that a supervisor which we start would have."""
        from engine.machine.slots import detect_slots

        catalogue = self.app.catalogue
        assert catalogue is not None
        return detect_slots(catalogue.settings.slots)

    def _read_store(self) -> tuple[Supervisor | None, Sequence[Occupant]]:
        """The supervisor, if one works here, and the runs in training."""
        from engine.store.occupants import occupants
        from engine.store.queries import supervisor_state
        from engine.supervisor.start import supervisor_running

        location = self.app.location
        if not location.db.exists():
            return None, ()
        with closing(self.app.reader()) as connection:
            supervisor, inside = supervisor_state(connection), occupants(connection)
        here = supervisor is not None and supervisor.host == socket.gethostname()
        return supervisor if here and supervisor_running(location) else None, inside

    def _take(self, slots: Sequence[Slot], devices: Sequence[DeviceUse]) -> None:
        self._looking = False
        self.slots = slots
        if self.is_mounted and devices:
            self.devices = devices
            self.redraw()
            self.post_message(self.Looked())

    @property
    def full_lines(self) -> int:
        """How many it takes to say everything."""
        return sum(1 + len(device.slots) + len(device.foreign) for device in self.devices) or 2

    def digest(self) -> Content:
        """All of it in a few words."""
        if not self.devices:
            return Content("")
        slots = [run for device in self.devices for run in device.slots]
        taken = sum(run is not None for run in slots)
        loads = "  ".join(f"{d.label} {_percent(d.utilization)}" for d in self.devices[:4])
        others = sum(len(device.foreign) for device in self.devices)
        return Content.assemble(
            (f"{loads}  {taken} of {count(len(slots), 'slot')} taken", "$text-muted"),
            (f"  {count(others, 'process', 'processes')} of others" if others else "", "$warning"),
        )

    def draw(self, width: int, height: int) -> list[Line]:
        if not self.devices:
            return [[("asking the machine …", "$text-disabled")]]
        if self.full_lines <= height:
            return [line for device in self.devices for line in _full(device, width)]
        lines = [_short(device) for device in self.devices]
        if len(lines) > height > 0:
            hidden = len(lines) - height + 1
            lines = [*lines[: height - 1], [(f"and {hidden} more", "$text-disabled")]]
        return lines


def _full(device: DeviceUse, width: int) -> list[Line]:
    return [
        _head(device, width),
        *(_slot(run, width) for run in device.slots),
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
    memory = UNKNOWN
    if used is not None:
        memory = f"{used / _GIB:.1f}" + (f" / {total / _GIB:.0f}" if total else "") + " GiB"
    bar: Line = [] if use is None else list(progress_bar(use / 100, _BAR_CELLS))
    look = "$text-disabled" if use is None else "$warning" if use >= _BUSY else ""
    return [
        *bar,
        (f" {_percent(use):>5}", look),
        (f"  {memory}", "$text-disabled" if used is None else "$warning" if full else ""),
    ]


def _slot(run: Run | None, width: int) -> Line:
    if run is None:
        return [("  · free", "$text-disabled")]
    share = f"  {run.progress:.0%}" if run.progress is not None else ""
    name = plain(f"{run.model} × {run.dataset} × {run.length}", TITLE)
    text = fit(f"{name}  seed {run.seed}", width - 4 - len(share))
    return [(f"  {glyph('running')} ", "$state-running"), (text, ""), (share, "$text-muted")]


def _process(process: ForeignProcess, width: int) -> Line:
    """A process of somebody else: only what the machine tells."""
    share = []
    if process.memory_mib is not None:
        share.append(f"{process.memory_mib / _GIB:.1f} GiB")
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
    """One device in one line."""
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
