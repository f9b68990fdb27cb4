"""What a launch will cost, in words: parameters, time, memory, and the slots that it will use.

Imports the engine when called: the words are asked for after the first paint only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from tui.shell.text import count, duration, plain, whole

if TYPE_CHECKING:
    from engine.machine.occupancy import DeviceUse
    from engine.machine.slots import Slot
    from engine.planning import Plan, PlannedRun

NOT_YET = "not known yet"
WITHOUT = "without an estimate"
_GIB = 1024

SOURCES = {
    "past": "from past runs here",
    "nearest": "from runs of another length here",
    "measured": "measured just now",
}


class Machine(NamedTuple):
    """This machine's devices, and the slots that runs take on them.

    Attributes:
        slots: in the order in which they are filled; none before they are known.
        devices: the load of each, with what is in its slots; none before they were looked at.
    """

    slots: Sequence[Slot] = ()
    devices: Sequence[DeviceUse] = ()

    def used(self, runs: int) -> list[Slot]:
        """Choose the slots for a number of runs: free ones first."""
        taken = self._taken()
        ordered = sorted(self.slots, key=lambda slot: slot.name in taken)
        return ordered[: max(1, runs)]

    @property
    def free(self) -> Slot | None:
        """A slot that no run is in; ``None`` if there is none, or that isn't known yet."""
        taken = self._taken()
        known = {name for device in self.devices for name in device.names}
        return next((s for s in self.slots if s.name in known - taken), None)

    def device_of(self, slot: Slot) -> DeviceUse | None:
        """Find the device that a slot is on."""
        return next((device for device in self.devices if slot.name in device.names), None)

    def _taken(self) -> set[str]:
        return {
            name
            for device in self.devices
            for name, run in zip(device.names, device.slots, strict=True)
            if run is not None
        }


def product_text(plan: Plan) -> str:
    """Write what the runs of a plan multiply from: ``2 cells × 2 values of lr × 3 seeds =``; with a
    colon at the end where some of these runs would be the same."""
    order = plan.order
    axes = [(len(order.cells), "cell", "cells")]
    if order.variants:
        axes.append((len(order.variants), "variant", "variants"))
    axes += [(n, key, f"values of {plain(key, 30)}") for key, n in plan.swept.items()]
    axes.append((len(order.seeds), "seed", "seeds"))
    all_differ = prod(number for number, _, _ in axes) == len(plan.runs)
    return " × ".join(count(*axis) for axis in axes) + (" =" if all_differ else ":")


def parameters_text(counts: Collection[int]) -> str:
    """Write the parameters of runs: ``269,188``, or ``269,188 – 278,035`` where they differ."""
    if not counts:
        return whole(None)
    least, most = min(counts), max(counts)
    return whole(least) if least == most else f"{whole(least)} – {whole(most)}"


def lone_text(plan: Plan, runs: Sequence[PlannedRun]) -> str:
    """Warn that cells with a single seed don't allow to judge differences."""
    cells = len({run.cell for run in runs if not run.spec.fitted})
    lone = len(plan.lone_of(runs))
    if lone == cells:
        return "with one seed, differences can't be judged"
    return f"one seed in {lone:,} of {cells:,} cells: their differences can't be judged"


def once_text(plan: Plan) -> str:
    """Say which models are run once for several seeds; empty if none is."""
    names = [plain(name, 30) for name in plan.once]
    if not names:
        return ""
    are = "is" if len(names) == 1 else "are"
    return f"{_listed(names)} {are} fitted, the same for every seed: one run for all"


def untrained_text(plan: Plan) -> str:
    """Say which models the overrides of training don't concern; empty if there are none."""
    models = [plain(name, 30) for name in plan.untrained]
    if not models:
        return ""
    keys = plan.of_training
    are, them = ("is", "it") if len(models) == 1 else ("are", "them")
    concern = "doesn't concern" if len(keys) == 1 else "don't concern"
    return f"{_listed(models)} {are} fitted: {_listed(keys)} {concern} {them}"


def time_text(runs: Sequence[PlannedRun], slots: Sequence[Slot] = ()) -> str:
    """Write how long training takes in some slots, or one run after another, as far as it is
    known."""
    from engine.machine.together import makespan, shares

    devices = shares(slots)
    longest = [seconds for run in runs if (seconds := run.at_most) is not None]
    if not longest:
        return NOT_YET
    usual = [run.cost.run_seconds for run in runs if run.cost and run.cost.run_seconds]
    most = makespan(longest, devices)
    text = f"at most {duration(most)}"
    if len(usual) == len(longest) and (expected := makespan(usual, devices)) < most:
        text = f"about {duration(expected)}, {text}"
    unknown = len(runs) - len(longest)
    return f"{text}; {count(unknown, 'run')} {WITHOUT}" if unknown else text


def memory_text(runs: Sequence[PlannedRun], machine: Machine) -> tuple[str, bool]:
    """Write the peak memory of a run, and of the runs that meet on one device.

    Returns:
        The words, and whether the device has too little.
    """
    from engine.machine.estimates import peak_memory

    known = [run.cost.memory_mib for run in runs if run.cost and run.cost.memory_mib]
    if not known:
        return NOT_YET, False
    text = f"{_gib(max(known))} per run" if len(runs) > 1 else _gib(max(known))
    together = Counter(
        device.label
        for slot in machine.used(len(runs))
        if (device := machine.device_of(slot)) is not None
    )
    tight = False
    for device in machine.devices:
        at_once = together[device.label]
        total = device.memory_total_mib
        if not at_once or not total:
            continue
        needed = peak_memory(known, at_once)
        if at_once > 1:
            text += f", {_gib(needed)} for {at_once} at once"
        text += f" ({_gib(total)} available)"
        tight = needed > total
        break
    unknown = sum(not (run.cost and run.cost.memory_mib) for run in runs)
    return (f"{text}; {count(unknown, 'run')} {WITHOUT}" if unknown else text), tight


def source_text(runs: Sequence[PlannedRun]) -> str:
    """Say where time and memory are known from."""
    sources = dict.fromkeys(run.cost.source for run in runs if run.cost is not None)
    return ", ".join(SOURCES[source] for source in sources)


def slots_text(runs: int, machine: Machine) -> str:
    """Name the devices, how many runs go at once, and how many slots are taken."""
    if not machine.slots:
        return NOT_YET
    used = machine.used(runs)
    labels = []
    for slot in used:
        device = machine.device_of(slot)
        labels.append(device.label if device else slot.device.upper().replace("CUDA", "GPU"))
    names = dict.fromkeys(labels)
    title = "" if used[0].device == "cpu" else f" ({plain(used[0].title, 30)})"
    threads = f", {count(used[0].threads, 'thread')} each" if used[0].device == "cpu" else ""
    # As many share a GPU as are worth while and fit.
    most = "up to " if used[0].device == "cuda" and len(used) > len(names) else ""
    text = f"{', '.join(names)}{title}: {most}{len(used)} at once{threads}"
    taken = sum(run is not None for device in machine.devices for run in device.slots)
    return f"{text}; {taken}/{len(machine.slots)} slots in use" if taken else text


def _listed(names: Sequence[str]) -> str:
    from engine.analysis.export import listed

    return listed(names)


def _gib(mib: float) -> str:
    return f"{mib:.0f} MiB" if mib < _GIB else f"{mib / _GIB:.1f} GiB"
